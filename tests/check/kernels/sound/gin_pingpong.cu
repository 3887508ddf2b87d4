// expect: sound
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Ping-pong between ranks r and r^1 by one thread. The even rank starts; everybody else puts only after the signal
// of the message it answers, so a receive buffer is idle when it is overwritten; between launches the host barrier
// says so. Before a buffer is changed for the next message the put that read it is flushed. Thresholds count turns
// over all launches, one sender per rank.
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>

constexpr int kTurns = 4, kLaunches = 3, kWords = 16;

struct Ball {
  long long touched[kWords];
};

__device__ void hit(Ball* out, const Ball* in, long long amount) {
  for (int i = 0; i < kWords; ++i) out->touched[i] = in->touched[i] + amount + i;
}

__global__ void pingpong(ncclWindow_t win, int launch, ncclDevComm dc) {
  ncclGin gin{dc, 0};
  ncclTeam world = ncclTeamWorld(dc);
  ncclCoopThread me;
  const int partner = world.rank ^ 1;
  Ball* out = (Ball*)ncclGetLocalPointer(win, 0);
  Ball* in = (Ball*)ncclGetLocalPointer(win, sizeof(Ball));
  for (int turn = 0; turn < kTurns; ++turn) {
    const uint64_t message = (uint64_t)launch * kTurns + turn + 1;
    if (world.rank % 2 == 1) {
      gin.waitSignal(me, 0, message);
      hit(out, in, 1);
    } else if (turn == 0) {
      for (int i = 0; i < kWords; ++i) out->touched[i] = launch * 1000 + i;
    } else {
      hit(out, in, 2);
    }
    gin.put(world, partner, win, sizeof(Ball), win, 0, sizeof(Ball), ncclGin_SignalInc{0});
    if (world.rank % 2 == 0) gin.waitSignal(me, 0, message);
    gin.flush(me);
  }
}

int fail(const char* what, int code) {
  fprintf(stderr, "%s: error %d\n", what, code);
  MPI_Abort(MPI_COMM_WORLD, 1);
  return 1;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, size, devices, err;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if ((err = cudaGetDeviceCount(&devices)) != 0) return fail("cudaGetDeviceCount", err);
  if ((err = cudaSetDevice(rank % devices)) != 0) return fail("cudaSetDevice", err);
  ncclUniqueId id;
  if (rank == 0 && (err = ncclGetUniqueId(&id)) != 0) return fail("ncclGetUniqueId", err);
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  if ((err = ncclCommInitRank(&comm, size, id, rank)) != 0) return fail("ncclCommInitRank", err);

  Ball* balls;
  ncclWindow_t win = nullptr;
  if ((err = ncclMemAlloc((void**)&balls, 2 * sizeof(Ball))) != 0) return fail("ncclMemAlloc", err);
  err = ncclCommWindowRegister(comm, balls, 2 * sizeof(Ball), &win, NCCL_WIN_COLL_SYMMETRIC);
  if (err != 0 || win == nullptr) return fail("ncclCommWindowRegister", err);
  ncclDevCommRequirements reqs{};
  reqs.ginSignalCount = 1;
  ncclDevComm dc;
  if ((err = ncclDevCommCreate(comm, &reqs, &dc)) != 0) return fail("ncclDevCommCreate", err);

  int wrong = 0;
  for (int launch = 0; launch < kLaunches; ++launch) {
    pingpong<<<1, 1>>>(win, launch, dc);
    if ((err = cudaGetLastError()) != 0) return fail("pingpong", err);
    if ((err = cudaDeviceSynchronize()) != 0) return fail("cudaDeviceSynchronize", err);
    Ball last;
    if ((err = cudaMemcpy(&last, balls + 1, sizeof last, cudaMemcpyDeviceToHost)) != 0) return fail("cudaMemcpy", err);
    // The even rank holds the odd rank's last answer, the odd rank the ball before it.
    const int returns = kTurns - 1, answers = rank % 2 == 0 ? kTurns : kTurns - 1;
    for (int i = 0; i < kWords; ++i)
      if (last.touched[i] != launch * 1000 + i + returns * (2 + i) + answers * (1 + i)) ++wrong;
    MPI_Barrier(MPI_COMM_WORLD);
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) puts(wrong == 0 ? "PASS" : "FAIL");
  if ((err = ncclDevCommDestroy(comm, &dc)) != 0) return fail("ncclDevCommDestroy", err);
  if ((err = ncclCommWindowDeregister(comm, win)) != 0) return fail("ncclCommWindowDeregister", err);
  if ((err = ncclMemFree(balls)) != 0) return fail("ncclMemFree", err);
  if ((err = ncclCommDestroy(comm)) != 0) return fail("ncclCommDestroy", err);
  MPI_Finalize();
  return wrong == 0 ? 0 : 1;
}
