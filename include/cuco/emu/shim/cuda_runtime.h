// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The CUDA runtime for emulated programs: host API, qualifiers, built-in variables and device functions.
/// math.h and stdlib.h, not only their C++ names: `abs`, `isnan`, `sqrt` without `std::` have overloads for
/// float in CUDA, and C's `abs(int)` would truncate.

#include <math.h>
#include <stdlib.h>

#include <cassert>
#include <cfloat>
#include <climits>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <utility>

#include "vector_functions.h"
#include "vector_types.h"

#include "cuco/emu/impl/atomic_functions.hpp"
#include "cuco/emu/impl/device.hpp"
#include "cuco/emu/impl/device_functions.hpp"
#include "cuco/emu/impl/host_templates.hpp"
#include "cuco/emu/impl/math_functions.hpp"
#include "cuda_runtime_api.h"
#include "device_launch_parameters.h"

#define __CUDACC__ 1
#define __NVCC__ 1
#define __CUDACC_VER_MAJOR__ 13
#define __CUDACC_VER_MINOR__ 0
