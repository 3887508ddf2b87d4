// expect: window-race
// twin: lsa_pairwise_mailbox.cu
// mistake: the next message is stored without waiting until the partner has taken the last one
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <cuda/atomic>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <array>
#include <cstdio>
#include <vector>

#define CHECK(expr)                                                                        \
  do {                                                                                     \
    int const status = static_cast<int>(expr);                                             \
    if (status != 0) {                                                                     \
      std::fprintf(stderr, "%s failed with %d (%s:%d)\n", #expr, status, __FILE__, __LINE__); \
      MPI_Abort(MPI_COMM_WORLD, status);                                                   \
    }                                                                                      \
  } while (0)

constexpr int kWords = 32, kMessages = 5, kLaunches = 3;

struct Mailbox {
  unsigned full;   // messages that arrived here
  unsigned taken;  // messages of mine that the partner has read (stored here by the partner)
  int words[kWords];
};
using SystemFlag = cuda::atomic_ref<unsigned, cuda::thread_scope_system>;

__device__ void wait_until(unsigned& flag, unsigned value) {
  SystemFlag f(flag);
  while (f.load(cuda::memory_order_acquire) < value) {
  }
}

__global__ void swap_messages(ncclWindow_t win, int partner, unsigned done, int* log) {
  Mailbox* mine = static_cast<Mailbox*>(ncclGetLocalPointer(win, 0));
  Mailbox* theirs = static_cast<Mailbox*>(ncclGetLsaPointer(win, 0, partner));
  int const lane = threadIdx.x;
  for (unsigned m = done + 1; m <= done + kMessages; ++m) {
    theirs->words[lane] = static_cast<int>(m * 1000 + lane + (partner ^ 1) * 50);  // DEFECT
    __syncwarp();
    if (lane == 0) SystemFlag(theirs->full).store(m, cuda::memory_order_release);
    if (lane == 0) wait_until(mine->full, m);
    __syncwarp();
    log[(m - done - 1) * kWords + lane] = mine->words[lane];
    __syncwarp();
    if (lane == 0) SystemFlag(theirs->taken).store(m, cuda::memory_order_release);
  }
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, size = 0, devices = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  CHECK(cudaGetDeviceCount(&devices));
  CHECK(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) CHECK(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  CHECK(ncclCommInitRank(&comm, size, id, rank));

  void* box = nullptr;
  ncclWindow_t win = nullptr;
  CHECK(ncclMemAlloc(&box, sizeof(Mailbox)));
  CHECK(ncclCommWindowRegister(comm, box, sizeof(Mailbox), &win, NCCL_WIN_COLL_SYMMETRIC));
  int* log = nullptr;
  CHECK(cudaMalloc(&log, kMessages * kWords * sizeof(int)));
  ncclDevCommRequirements reqs = {};
  ncclDevComm dc;
  CHECK(ncclDevCommCreate(comm, &reqs, &dc));
  CHECK(cudaMemset(box, 0, sizeof(Mailbox)));
  CHECK(cudaDeviceSynchronize());
  MPI_Barrier(MPI_COMM_WORLD);

  int const partner = ncclTeamLsa(comm).rank ^ 1;
  int wrong = 0;
  std::array<int, kMessages * kWords> seen;
  for (int launch = 0; launch < kLaunches; ++launch) {
    swap_messages<<<1, kWords>>>(win, partner, launch * kMessages, log);
    CHECK(cudaGetLastError());
    CHECK(cudaDeviceSynchronize());
    CHECK(cudaMemcpy(seen.data(), log, sizeof seen, cudaMemcpyDeviceToHost));
    for (int m = 0; m < kMessages; ++m)
      for (int w = 0; w < kWords; ++w)
        if (seen[m * kWords + w] != (launch * kMessages + m + 1) * 1000 + w + partner * 50) ++wrong;
  }

  int all = 0;
  MPI_Reduce(&wrong, &all, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
  MPI_Bcast(&all, 1, MPI_INT, 0, MPI_COMM_WORLD);
  if (rank == 0) std::printf(all ? "FAIL\n" : "PASS\n");
  CHECK(ncclDevCommDestroy(comm, &dc));
  CHECK(ncclCommWindowDeregister(comm, win));
  CHECK(ncclMemFree(box));
  CHECK(cudaFree(log));
  CHECK(ncclCommDestroy(comm));
  MPI_Finalize();
  return all ? 1 : 0;
}
