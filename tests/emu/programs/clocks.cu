// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The host's clocks show virtual time, all of them the same; waits with a deadline keep their meaning.
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <ctime>
#include <future>
#include <mutex>
#include <thread>

#include "check.h"

using std::chrono::high_resolution_clock;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

template <class Duration>
static double us(Duration d) {
  return std::chrono::duration<double, std::micro>(d).count();
}
static bool near(double a, double b, double by) { return a > b - by && a < b + by; }

__global__ void fill(float* p, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) p[i] = (float)i;
}

struct Times {
  double steady, fine, wall, mpi, processor, day, monotonic;
};
static Times now() {
  timeval day;
  gettimeofday(&day, nullptr);
  timespec monotonic;
  clock_gettime(CLOCK_MONOTONIC, &monotonic);
  return {us(steady_clock::now().time_since_epoch()),
          us(high_resolution_clock::now().time_since_epoch()),
          us(system_clock::now().time_since_epoch()),
          MPI_Wtime() * 1e6,
          (double)clock() * 1e6 / CLOCKS_PER_SEC,
          (double)day.tv_sec * 1e6 + (double)day.tv_usec,
          (double)monotonic.tv_sec * 1e6 + (double)monotonic.tv_nsec * 1e-3};
}

static void agree() {
  float* d = device_array<float>(5000);
  Times const a = now();
  for (int i = 0; i < 50; ++i) fill<<<4, 64, 0, stream>>>(d, 5000);
  CUDA(cudaStreamSynchronize(stream));
  Times const b = now();
  double const took = b.mpi - a.mpi;
  CHECK(took > 50 && took < 10000);
  CHECK(near(b.steady - a.steady, took, 2));
  CHECK(near(b.fine - a.fine, took, 2));
  CHECK(near(b.wall - a.wall, took, 2));
  CHECK(near(b.processor - a.processor, took, 3));
  CHECK(near(b.day - a.day, took, 3));
  CHECK(near(b.monotonic - a.monotonic, took, 2));
  CHECK(near(b.wall, b.day, 1000));
  CHECK_EQ(time(nullptr), (time_t)(b.wall * 1e-6));
  // The same on every rank and in every run.
  printf("Time: %.6f us\n", took);
}

static void spinning_and_sleeping() {
  auto const start = steady_clock::now();
  while (steady_clock::now() - start < milliseconds(1)) {
  }
  CHECK(near(us(steady_clock::now() - start), 1000, 1));
  std::this_thread::sleep_for(milliseconds(3));
  usleep(1000);
  std::this_thread::sleep_until(system_clock::now() + milliseconds(2));
  CHECK(near(us(steady_clock::now() - start), 7000, 2));
}

// Polling a stream costs no virtual time, however often the host asks, with a clock and a sleep in the loop.
static void polling() {
  float* d = device_array<float>(5000);
  double took[2];
  for (int way = 0; way < 2; ++way) {
    auto const start = steady_clock::now();
    for (int i = 0; i < 20; ++i) fill<<<4, 64, 0, stream>>>(d, 5000);
    while (cudaStreamQuery(stream) == cudaErrorNotReady) {
      if (way == 1) usleep(500);
      if (steady_clock::now() - start > std::chrono::seconds(20)) failures = 100;
    }
    took[way] = us(steady_clock::now() - start);
  }
  CHECK(near(took[0], took[1], 1));
}

static void deadlines() {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false, fired = false;
  std::thread watchdog([&] {
    std::unique_lock<std::mutex> lock(mutex);
    fired = !changed.wait_for(lock, std::chrono::seconds(20), [&] { return done; });
  });
  auto quick = std::async(std::launch::async, [] {
    usleep(20000);
    return 5;
  });
  CHECK(quick.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  auto const start = steady_clock::now();
  {
    auto slow = std::async(std::launch::async, [] {
      usleep(60000);
      return 5;
    });
    CHECK(slow.wait_for(milliseconds(5)) == std::future_status::timeout);
    CHECK(near(us(steady_clock::now() - start), 5000, 1));
  }
  {
    std::lock_guard<std::mutex> lock(mutex);
    done = true;
  }
  changed.notify_all();
  watchdog.join();
  CHECK(!fired);
  std::unique_lock<std::mutex> lock(mutex);
  CHECK(!changed.wait_for(lock, milliseconds(4), [] { return false; }));
  CHECK(near(us(steady_clock::now() - start), 9000, 2));
}

static double seen_in_callback = 0;
static void look(void*) { seen_in_callback = us(steady_clock::now().time_since_epoch()); }

// A host function sees the time of its stream; another thread's sleep is its own.
static void elsewhere() {
  float* d = device_array<float>(5000);
  CUDA(cudaStreamSynchronize(stream));
  double const before = us(steady_clock::now().time_since_epoch());
  for (int i = 0; i < 50; ++i) fill<<<4, 64, 0, stream>>>(d, 5000);
  CUDA(cudaLaunchHostFunc(stream, look, nullptr));
  CUDA(cudaStreamSynchronize(stream));
  double const after = us(steady_clock::now().time_since_epoch());
  CHECK(seen_in_callback > before && seen_in_callback < after);
  double slept = 0;
  std::thread worker([&] {
    auto const start = steady_clock::now();
    std::this_thread::sleep_for(milliseconds(2));
    slept = us(steady_clock::now() - start);
  });
  worker.join();
  CHECK(near(slept, 2000, 1));
  CHECK(us(steady_clock::now().time_since_epoch()) < after + 1000);
}

int main(int argc, char** argv) {
  return run_case(argc, argv, {{"agree", agree}, {"spinning_and_sleeping", spinning_and_sleeping}, {"polling", polling},
                               {"deadlines", deadlines}, {"elsewhere", elsewhere}});
}
