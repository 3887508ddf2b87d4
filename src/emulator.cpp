// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The bodies of the emulator's host side, compiled once.
#define CUCO_EVOLVE_BODIES
#include "cuco/core/impl/inline.hpp"

#include "cuco/emu/emulator_build-inl.hpp"
#include "cuco/emu/front_end-inl.hpp"
#include "cuco/emu/machine-inl.hpp"
