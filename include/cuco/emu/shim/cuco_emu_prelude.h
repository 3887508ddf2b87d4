// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Included before the first line of every emulated program: what nvcc includes by itself, and what rewritten
/// launches need.

#include "cuda_runtime.h"

#include "cuco/emu/impl/launch_syntax.hpp"
