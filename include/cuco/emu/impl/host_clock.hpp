// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The clocks of host code, in virtual time: std::chrono, clock_gettime, gettimeofday, time, clock,
/// MPI_Wtime, and sleeps and timed waits, which refer to them. Included by the runtime object only.
///
/// The main thread's clock is the virtual host clock. Reading it costs nothing, unless nothing has happened
/// since the last reading: then 25 ns, so that a loop that waits for a time ends. Another thread's clock is
/// the same plus what that thread has slept; a host function of a stream sees the stream's time. Sleeps
/// really sleep. A wait with a deadline really waits as long as the deadline is ahead in virtual time.

#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <cerrno>
#include <cmath>
#include <ctime>

#include "cuco/emu/impl/device_entry.hpp"
#include "cuco/emu/impl/host_state.hpp"
#include "cuco/emu/impl/real_time.hpp"

namespace cuco::emu::impl {

/// The wall clock starts at 2026-01-01 00:00:00 UTC in every run.
constexpr long kWallStart = 1767225600;
constexpr double kClockReadUs = 0.025;

inline bool on_main_thread() {
  thread_local bool const main = static_cast<pid_t>(::syscall(SYS_gettid)) == ::getpid();
  return main;
}
/// What a thread other than the main thread has spent by itself.
inline thread_local double own_thread_us = 0;

/// Virtual microseconds, without the cost of reading.
inline double host_time_us() {
  if (current_thread != nullptr) return current_thread->clock;
  if (host_function_us >= 0) return host_function_us + own_thread_us;
  return Device::get().host_clock + (on_main_thread() ? 0 : own_thread_us);
}
inline void spend_host_time(double us) {
  if (current_thread != nullptr || us <= 0) return;
  if (!on_main_thread()) {
    own_thread_us += us;
  } else if (HostState::get().free_steps > 0) {
    // In a loop of queries that find work unfinished time stands still: their number depends on the real
    // machine.
    --HostState::get().free_steps;
  } else {
    Device::get().host_clock += us;
  }
}
inline double read_host_clock_us() {
  thread_local double last = -1;
  if (host_time_us() == last) spend_host_time(kClockReadUs);
  return last = host_time_us();
}

inline long nanoseconds(double us) {
  return std::llround(us * 1e3);
}
inline bool is_wall_clock(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}
inline timespec virtual_time(bool wall, double us) {
  long const ns = nanoseconds(us);
  return {(wall ? kWallStart : 0) + ns / 1000000000, ns % 1000000000};
}
inline double microseconds(timespec const& t) {
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) * 1e-3;
}

/// A deadline of a virtual clock as one of the real clock, equally far ahead.
struct Deadline {
  Deadline(bool is_wall, timespec const* virtual_deadline) : wall(is_wall) {
    if (virtual_deadline == nullptr) return;
    // Deadlines of the two clocks are years apart: a condition variable may use either.
    if (wall && virtual_deadline->tv_sec < kWallStart / 2) wall = false;
    timespec const start{wall ? kWallStart : 0, 0};
    virtual_us = microseconds({virtual_deadline->tv_sec - start.tv_sec, virtual_deadline->tv_nsec});
    double const ahead = virtual_us - host_time_us();
    real = real_clock(is_wall && wall ? CLOCK_REALTIME : CLOCK_MONOTONIC);
    if (ahead <= 0) return;
    long const ns = real.tv_nsec + nanoseconds(std::fmod(ahead, 1e6));
    real.tv_sec += static_cast<long>(ahead / 1e6) + ns / 1000000000;
    real.tv_nsec = ns % 1000000000;
  }
  /// The wait ended because the deadline has passed; so it has in virtual time.
  void passed() const {
    if (on_main_thread()) HostState::get().free_steps = 0;
    spend_host_time(virtual_us - host_time_us());
  }

  bool wall;
  timespec real{};
  double virtual_us = 0;
};

template <typename Wait>
inline int timed_wait(clockid_t clock, timespec const* deadline, Wait wait) {
  if (deadline == nullptr || deadline->tv_nsec < 0 || deadline->tv_nsec >= 1000000000) return wait(deadline);
  Deadline const d(is_wall_clock(clock), deadline);
  int const result = wait(&d.real);
  if (result == ETIMEDOUT || (result == -1 && errno == ETIMEDOUT)) d.passed();
  return result;
}

}  // namespace cuco::emu::impl

extern "C" {
unsigned __real_sleep(unsigned);
int __real_nanosleep(timespec const*, timespec*);
int __real_pthread_cond_timedwait(pthread_cond_t*, pthread_mutex_t*, timespec const*);
int __real_pthread_cond_clockwait(pthread_cond_t*, pthread_mutex_t*, clockid_t, timespec const*)
    __attribute__((weak));
int __real_pthread_mutex_timedlock(pthread_mutex_t*, timespec const*);
int __real_pthread_mutex_clocklock(pthread_mutex_t*, clockid_t, timespec const*) __attribute__((weak));
int __real_sem_timedwait(sem_t*, timespec const*);
int __real_sem_clockwait(sem_t*, clockid_t, timespec const*) __attribute__((weak));

long __wrap__ZNSt6chrono3_V212steady_clock3nowEv() {
  return cei::nanoseconds(cei::read_host_clock_us());
}
long __wrap__ZNSt6chrono3_V212system_clock3nowEv() {
  return cei::kWallStart * 1000000000 + cei::nanoseconds(cei::read_host_clock_us());
}
int __wrap_clock_gettime(clockid_t clock, timespec* time) {
  *time = cei::virtual_time(cei::is_wall_clock(clock), cei::read_host_clock_us());
  return 0;
}
int __wrap_gettimeofday(timeval* time, void*) {
  timespec const t = cei::virtual_time(true, cei::read_host_clock_us());
  if (time != nullptr) *time = {t.tv_sec, t.tv_nsec / 1000};
  return 0;
}
int __wrap_timespec_get(timespec* time, int base) {
  if (base != TIME_UTC) return 0;
  *time = cei::virtual_time(true, cei::read_host_clock_us());
  return base;
}
time_t __wrap_time(time_t* time) {
  time_t const now = cei::virtual_time(true, cei::read_host_clock_us()).tv_sec;
  if (time != nullptr) *time = now;
  return now;
}
/// In a kernel GPU cycles; the host's processor time is its clock.
clock_t __wrap_clock() {
  if (cei::current_thread != nullptr) return static_cast<clock_t>(cuco::emu::thread_cycles());
  return cei::nanoseconds(cei::read_host_clock_us()) / 1000;
}
__attribute__((weak)) double omp_get_wtime() {
  return cei::read_host_clock_us() * 1e-6;
}
__attribute__((weak)) double omp_get_wtick() {
  return 1e-9;
}

unsigned __wrap_sleep(unsigned seconds) {
  cei::spend_host_time(seconds * 1e6);
  return __real_sleep(seconds);
}
int __wrap_usleep(useconds_t microseconds) {
  cei::spend_host_time(microseconds);
  return __real_usleep(microseconds);
}
int __wrap_nanosleep(timespec const* time, timespec* left) {
  if (time != nullptr) cei::spend_host_time(cei::microseconds(*time));
  return __real_nanosleep(time, left);
}
int __wrap_clock_nanosleep(clockid_t clock, int flags, timespec const* time, timespec* left) {
  if (time == nullptr) return EFAULT;
  timespec wanted = *time;
  if ((flags & TIMER_ABSTIME) != 0) {
    double const us = cei::Deadline(cei::is_wall_clock(clock), time).virtual_us - cei::host_time_us();
    if (us <= 0) return 0;
    wanted = cei::virtual_time(false, us);
  }
  return __wrap_nanosleep(&wanted, left) == 0 ? 0 : errno;
}
int __wrap_pthread_cond_timedwait(pthread_cond_t* c, pthread_mutex_t* m, timespec const* deadline) {
  return cei::timed_wait(
      CLOCK_REALTIME, deadline, [&](timespec const* t) { return __real_pthread_cond_timedwait(c, m, t); });
}
int __wrap_pthread_cond_clockwait(pthread_cond_t* c,
                                  pthread_mutex_t* m,
                                  clockid_t k,
                                  timespec const* deadline) {
  return cei::timed_wait(
      k, deadline, [&](timespec const* t) { return __real_pthread_cond_clockwait(c, m, k, t); });
}
int __wrap_pthread_mutex_timedlock(pthread_mutex_t* m, timespec const* deadline) {
  return cei::timed_wait(
      CLOCK_REALTIME, deadline, [&](timespec const* t) { return __real_pthread_mutex_timedlock(m, t); });
}
int __wrap_pthread_mutex_clocklock(pthread_mutex_t* m, clockid_t k, timespec const* deadline) {
  return cei::timed_wait(
      k, deadline, [&](timespec const* t) { return __real_pthread_mutex_clocklock(m, k, t); });
}
int __wrap_sem_timedwait(sem_t* s, timespec const* deadline) {
  return cei::timed_wait(
      CLOCK_REALTIME, deadline, [&](timespec const* t) { return __real_sem_timedwait(s, t); });
}
int __wrap_sem_clockwait(sem_t* s, clockid_t k, timespec const* deadline) {
  return cei::timed_wait(k, deadline, [&](timespec const* t) { return __real_sem_clockwait(s, k, t); });
}
}

// std::future's timed waits: this, word, value, whether there is a deadline, its seconds and nanoseconds.
#define CUCO_EVOLVE_FUTEX(name, clock)                                                                   \
  extern "C" bool __real_##name(void*, unsigned*, unsigned, bool, long, long);                           \
  extern "C" bool __wrap_##name(void* self, unsigned* word, unsigned v, bool limited, long s, long ns) { \
    if (!limited) return __real_##name(self, word, v, limited, s, ns);                                   \
    timespec const deadline{s, ns};                                                                      \
    cei::Deadline const d((clock) == CLOCK_REALTIME, &deadline);                                         \
    bool const woken = __real_##name(self, word, v, limited, d.real.tv_sec, d.real.tv_nsec);             \
    if (!woken) d.passed();                                                                              \
    return woken;                                                                                        \
  }
CUCO_EVOLVE_FUTEX(
    _ZNSt28__atomic_futex_unsigned_base19_M_futex_wait_untilEPjjbNSt6chrono8durationIlSt5ratioILl1ELl1EEEENS2_IlS3_ILl1ELl1000000000EEEE,
    CLOCK_REALTIME)
CUCO_EVOLVE_FUTEX(
    _ZNSt28__atomic_futex_unsigned_base26_M_futex_wait_until_steadyEPjjbNSt6chrono8durationIlSt5ratioILl1ELl1EEEENS2_IlS3_ILl1ELl1000000000EEEE,
    CLOCK_MONOTONIC)
#undef CUCO_EVOLVE_FUTEX
