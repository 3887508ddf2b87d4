// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The bodies of storage, compiled once.
#define CUCO_EVOLVE_BODIES
#include "cuco/core/impl/inline.hpp"

#include "cuco/store/evaluation_json-inl.hpp"
#include "cuco/store/impl/storable-inl.hpp"
#include "cuco/store/memory_storage-inl.hpp"
#include "cuco/store/program_json-inl.hpp"
#include "cuco/store/sqlite_storage-inl.hpp"
