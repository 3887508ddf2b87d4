// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How the bodies in `-inl.hpp` files are compiled. By default a header only declares, which keeps `cuco.hpp`
/// cheap, and the files in `src/` compile the bodies once (the CMake targets do that by themselves). With
/// CUCO_EVOLVE_HEADER_ONLY defined every header brings its bodies along, inline.

#ifdef CUCO_EVOLVE_BODIES
#define CUCO_EVOLVE_INLINE
#else
#define CUCO_EVOLVE_INLINE inline
#endif
