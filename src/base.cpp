// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The bodies of core and process, compiled once.
#define CUCO_EVOLVE_BODIES
#include "cuco/core/impl/inline.hpp"

#include "cuco/core/atomic_file-inl.hpp"
#include "cuco/core/impl/state-inl.hpp"
#include "cuco/core/log-inl.hpp"
#include "cuco/core/progress-inl.hpp"
#include "cuco/core/run_directory-inl.hpp"
#include "cuco/process/find_program-inl.hpp"
#include "cuco/process/scratch_folder-inl.hpp"
#include "cuco/process/subprocess-inl.hpp"
