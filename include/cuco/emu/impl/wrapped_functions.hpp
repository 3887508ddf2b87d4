// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

namespace cuco::impl::emulating {

/// Functions that a program gets from the emulator's runtime (host_clock.hpp) in place of the C and C++
/// libraries': its clocks, its sleeps, and waits until a time of its clocks. Only the program's own calls
/// change, the libraries' (Open MPI's timeouts, for example) do not.
inline constexpr std::array kWrappedFunctions = {
    "_ZNSt6chrono3_V212steady_clock3nowEv",
    "_ZNSt6chrono3_V212system_clock3nowEv",
    "clock_gettime",
    "gettimeofday",
    "timespec_get",
    "time",
    "clock",
    "sleep",
    "usleep",
    "nanosleep",
    "clock_nanosleep",
    "pthread_cond_timedwait",
    "pthread_cond_clockwait",
    "pthread_mutex_timedlock",
    "pthread_mutex_clocklock",
    "sem_timedwait",
    "sem_clockwait",
    "_ZNSt28__atomic_futex_unsigned_base19_M_futex_wait_"
    "untilEPjjbNSt6chrono8durationIlSt5ratioILl1ELl1EEEENS2_"
    "IlS3_ILl1ELl1000000000EEEE",
    "_ZNSt28__atomic_futex_unsigned_base26_M_futex_wait_until_"
    "steadyEPjjbNSt6chrono8durationIlSt5ratioILl1ELl1EEE"
    "ENS2_IlS3_ILl1ELl1000000000EEEE",
};

}  // namespace cuco::impl::emulating
