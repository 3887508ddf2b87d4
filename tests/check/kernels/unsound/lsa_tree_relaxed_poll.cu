// expect: weak-order
// twin: lsa_tree_broadcast.cu
// mistake: the child polls its flag relaxed and has no fence before it reads the payload
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <cuda/atomic>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

enum { kInts = 100, kThreads = 64, kRounds = 3, kLaunches = 3 };

struct Args {
  ncclWindow_t win;  // payload, then one flag
  int* out;          // kRounds payloads
  int round0;        // rounds of earlier launches
};
static constexpr size_t kFlagAt = kInts * sizeof(int), kBytes = kFlagAt + 64;

__device__ void send_to_child(Args const& a, ncclTeam team, int child, const int* payload, int round) {
  if (child >= team.nRanks) return;  // uniform over the block
  int* there = (int*)ncclGetLsaPointer(a.win, 0, child);
  for (int i = threadIdx.x; i < kInts; i += blockDim.x) there[i] = payload[i];
  __syncthreads();
  if (threadIdx.x == 0) {
    cuda::atomic_ref<int, cuda::thread_scope_system> flag(*(int*)ncclGetLsaPointer(a.win, kFlagAt, child));
    flag.store(round, cuda::memory_order_release);
  }
}

__global__ void broadcast(Args a, ncclDevComm dc) {
  ncclTeam team = ncclTeamLsa(dc);
  int* payload = (int*)ncclGetLocalPointer(a.win, 0);
  ncclLsaBarrierSession<ncclCoopCta> bar(ncclCoopCta(), dc, ncclTeamTagLsa(), 0);
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
  for (int k = 0; k < kRounds; k++) {
    int round = a.round0 + k + 1;
    if (team.rank == 0) {
      for (int i = threadIdx.x; i < kInts; i += blockDim.x) payload[i] = round * 1000 + i;
    } else if (threadIdx.x == 0) {
      cuda::atomic_ref<int, cuda::thread_scope_system> flag(*(int*)ncclGetLocalPointer(a.win, kFlagAt));
      while (flag.load(cuda::memory_order_relaxed) < round) {  // DEFECT
      }
    }
    __syncthreads();
    send_to_child(a, team, 2 * team.rank + 1, payload, round);
    send_to_child(a, team, 2 * team.rank + 2, payload, round);
    for (int i = threadIdx.x; i < kInts; i += blockDim.x) a.out[k * kInts + i] = payload[i];
    bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
  }
}

#define TRY(call)                                              \
  if (int status = (int)(call)) {                              \
    fprintf(stderr, "%s -> %d\n", #call, status);              \
    MPI_Abort(MPI_COMM_WORLD, 1);                              \
  } else                                                       \
    (void)0

int main(int argc, char* argv[]) {
  int rank, size, devices;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  TRY(cudaGetDeviceCount(&devices));
  TRY(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) TRY(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  TRY(ncclCommInitRank(&comm, size, id, rank));

  Args args{};
  void* memory;
  TRY(ncclMemAlloc(&memory, kBytes));
  TRY(ncclCommWindowRegister(comm, memory, kBytes, &args.win, NCCL_WIN_COLL_SYMMETRIC));
  TRY(cudaMalloc(&args.out, kRounds * kInts * sizeof(int)));
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof reqs);
  reqs.lsaBarrierCount = 1;
  ncclDevComm dc;
  TRY(ncclDevCommCreate(comm, &reqs, &dc));
  cudaStream_t s;
  TRY(cudaStreamCreate(&s));
  TRY(cudaMemsetAsync((char*)memory + kFlagAt, 0, kBytes - kFlagAt, s));
  TRY(cudaStreamSynchronize(s));
  MPI_Barrier(MPI_COMM_WORLD);

  int wrong = 0;
  std::vector<int> got(kRounds * kInts);
  for (int launch = 0; launch < kLaunches; launch++) {
    args.round0 = launch * kRounds;
    broadcast<<<1, kThreads, 0, s>>>(args, dc);
    TRY(cudaGetLastError());
    TRY(cudaMemcpyAsync(got.data(), args.out, got.size() * sizeof(int), cudaMemcpyDeviceToHost, s));
    TRY(cudaStreamSynchronize(s));
    for (int k = 0; k < kRounds; k++)
      for (int i = 0; i < kInts; i++) wrong += got[k * kInts + i] != (args.round0 + k + 1) * 1000 + i;
  }

  int all = 0;
  MPI_Allreduce(&wrong, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("broadcast of %d ranks: %s\n", size, all ? "FAIL" : "PASS");
  TRY(cudaStreamDestroy(s));
  TRY(ncclDevCommDestroy(comm, &dc));
  TRY(ncclCommWindowDeregister(comm, args.win));
  TRY(ncclMemFree(memory));
  TRY(cudaFree(args.out));
  TRY(ncclCommDestroy(comm));
  MPI_Finalize();
  return all ? EXIT_FAILURE : EXIT_SUCCESS;
}
