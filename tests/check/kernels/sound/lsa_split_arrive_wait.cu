// expect: sound
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// A barrier taken apart: publish into my window and arrive (release), do private work, then wait (acquire) and read
// the neighbours. Values alternate between two places: a place is written again two steps later, after a wait that
// the readers answered with an arrival made after their reads.
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <iostream>
#include <memory>
#include <vector>

template <class T>
void ensure(T status, const char* where) {
  if (status != T{}) {
    std::cerr << where << ": " << static_cast<int>(status) << std::endl;
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}
#define STR2(x) #x
#define STR(x) STR2(x)
#define ENSURE(call) ensure((call), "line " STR(__LINE__))

constexpr int width = 64, steps = 5;

__device__ unsigned scramble(unsigned x) {
  for (int k = 0; k < 4; ++k) x = x * 1664525u + 1013904223u;
  return x;
}

__global__ void march(ncclWindow_t win, unsigned* result, unsigned seed, ncclDevComm dc) {
  const ncclCoopCta cta;
  const ncclTeam team = ncclTeamLsa(dc);
  const int lane = threadIdx.x;
  ncclLsaBarrierSession<ncclCoopCta> bar(cta, dc, ncclTeamTagLsa(), 0);
  bar.sync(cta, cuda::memory_order_acq_rel);
  unsigned value = seed + team.rank * width + lane;
  for (int step = 0; step < steps; ++step) {
    const size_t place = (step & 1) * width * sizeof(unsigned);
    ((unsigned*)ncclGetLocalPointer(win, place))[lane] = value;
    bar.arrive(cta, cuda::memory_order_release);
    const unsigned mine = scramble(value);  // overlaps with the peers' arrival
    bar.wait(cta, cuda::memory_order_acquire);
    unsigned others = 0;
    for (int p = 0; p < team.nRanks; ++p)
      if (p != team.rank) others += ((const unsigned*)ncclGetLsaPointer(win, place, p))[(lane + step) % width];
    value = mine ^ others;
  }
  result[lane] = value;
  bar.sync(cta, cuda::memory_order_release);
}

static unsigned scramble_host(unsigned x) {
  for (int k = 0; k < 4; ++k) x = x * 1664525u + 1013904223u;
  return x;
}

static std::vector<unsigned> reference(int rank, int nranks, unsigned seed) {
  std::vector<std::vector<unsigned>> v(nranks, std::vector<unsigned>(width)), next = v;
  for (int r = 0; r < nranks; ++r)
    for (int l = 0; l < width; ++l) v[r][l] = seed + r * width + l;
  for (int s = 0; s < steps; ++s) {
    for (int r = 0; r < nranks; ++r)
      for (int l = 0; l < width; ++l) {
        unsigned others = 0;
        for (int p = 0; p < nranks; ++p)
          if (p != r) others += v[p][(l + s) % width];
        next[r][l] = scramble_host(v[r][l]) ^ others;
      }
    v = next;
  }
  return v[rank];
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, nranks, devices;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  ENSURE(cudaGetDeviceCount(&devices));
  ENSURE(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) ENSURE(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  ENSURE(ncclCommInitRank(&comm, nranks, id, rank));
  void* memory;
  ncclWindow_t win = nullptr;
  const size_t bytes = 2 * width * sizeof(unsigned);
  ENSURE(ncclMemAlloc(&memory, bytes));
  ENSURE(ncclCommWindowRegister(comm, memory, bytes, &win, NCCL_WIN_COLL_SYMMETRIC));
  unsigned* result;
  ENSURE(cudaMalloc(&result, width * sizeof(unsigned)));
  auto reqs = std::make_unique<ncclDevCommRequirements>();  // value-initialised: all zero
  reqs->lsaBarrierCount = 1;
  ncclDevComm dc;
  ENSURE(ncclDevCommCreate(comm, reqs.get(), &dc));

  int wrong = 0;
  for (unsigned launch = 0; launch < 4; ++launch) {
    std::vector<unsigned> got(width);
    march<<<1, width>>>(win, result, launch * 7919u, dc);
    ENSURE(cudaGetLastError());
    ENSURE(cudaDeviceSynchronize());
    ENSURE(cudaMemcpy(got.data(), result, width * sizeof(unsigned), cudaMemcpyDeviceToHost));
    if (got != reference(rank, nranks, launch * 7919u)) ++wrong;
  }

  int all = 0;
  MPI_Allreduce(&wrong, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) std::cout << (all ? "FAIL" : "PASS") << std::endl;
  ENSURE(ncclDevCommDestroy(comm, &dc));
  ENSURE(ncclCommWindowDeregister(comm, win));
  ENSURE(ncclMemFree(memory));
  ENSURE(cudaFree(result));
  ENSURE(ncclCommDestroy(comm));
  MPI_Finalize();
  return all ? 1 : 0;
}
