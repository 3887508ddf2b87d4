// expect: source-reuse
// twin: gin_persistent_alltoall.cu
// mistake: the outbox is filled for the next step although the puts of this step were not flushed
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <vector>

#define MUST(x) do { auto const s_ = (x); if (s_ != decltype(s_)(0)) { printf("%s: %d\n", #x, int(s_)); MPI_Abort(MPI_COMM_WORLD, 1); } } while (0)

template <int Words>
struct Layout {
  static constexpr size_t message = Words * sizeof(int);
  __host__ __device__ static size_t copy(int step, int nranks) { return (step & 1) * nranks * message; }
  __host__ __device__ static size_t bytes(int nranks) { return 2 * nranks * message; }
};

template <int Words, int Steps>
__global__ void persistent(ncclWindow_t outbox, ncclWindow_t inbox, int first, int* sums, ncclDevComm dc) {
  using L = Layout<Words>;
  const ncclTeam world = ncclTeamWorld(dc);
  const ncclGin gin(dc, 0);
  const ncclCoopCta cta;
  int state = world.rank + 1;  // each step's message depends on what came before
  for (int step = first; step < first + Steps; ++step) {
    const size_t copy = L::copy(step, world.nRanks);
    for (int p = 0; p < world.nRanks; ++p)
      ((int*)ncclGetLocalPointer(outbox, p * L::message))[threadIdx.x] = state + p;  // DEFECT
    __syncthreads();
    for (int p = threadIdx.x; p < world.nRanks; p += blockDim.x)
      gin.put(world, p, inbox, copy + world.rank * L::message, outbox, p * L::message, L::message,
              ncclGin_SignalInc{(ncclGinSignal_t)world.rank});
    int sum = 0;
    for (int s = 0; s < world.nRanks; ++s) {
      gin.waitSignal(cta, s, step + 1);
      sum += ((const int*)ncclGetLocalPointer(inbox, copy + s * L::message))[threadIdx.x];
    }
    state = sum % 1009;
  }
  sums[threadIdx.x] = state;
}

int main(int argc, char** argv) {
  constexpr int words = 32, steps = 4;
  MPI_Init(&argc, &argv);
  int rank, nranks;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  MPI_Comm local;
  int local_rank;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local);
  MPI_Comm_rank(local, &local_rank);
  MPI_Comm_free(&local);
  MUST(cudaSetDevice(local_rank));
  ncclUniqueId id;
  if (rank == 0) MUST(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  MUST(ncclCommInitRank(&comm, nranks, id, rank));

  const size_t bytes = Layout<words>::bytes(nranks);
  std::vector<std::pair<void*, ncclWindow_t>> boxes(2);
  for (auto& [memory, window] : boxes) {  // of the outbox only the first copy is used
    MUST(ncclMemAlloc(&memory, bytes));
    MUST(ncclCommWindowRegister(comm, memory, bytes, &window, NCCL_WIN_COLL_SYMMETRIC));
  }
  int* sums;
  MUST(cudaMalloc(&sums, words * sizeof(int)));
  ncclDevCommRequirements reqs{};
  reqs.ginSignalCount = nranks;
  ncclDevComm dc;
  MUST(ncclDevCommCreate(comm, &reqs, &dc));

  int wrong = 0;
  for (int launch = 0; launch < 3; ++launch) {
    persistent<words, steps><<<1, words>>>(boxes[0].second, boxes[1].second, launch * steps, sums, dc);
    MUST(cudaGetLastError());
    MUST(cudaDeviceSynchronize());
    std::vector<int> got(words), state(nranks), next(nranks);
    MUST(cudaMemcpy(got.data(), sums, words * sizeof(int), cudaMemcpyDeviceToHost));
    for (int r = 0; r < nranks; ++r) state[r] = r + 1;
    for (int step = 0; step < steps; ++step) {
      for (int r = 0; r < nranks; ++r) {
        next[r] = 0;
        for (int s = 0; s < nranks; ++s) next[r] += state[s] + r;
        next[r] %= 1009;
      }
      state = next;
    }
    for (int w = 0; w < words; ++w) wrong += got[w] != state[rank];
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s\n", wrong ? "FAIL" : "PASS");
  MUST(ncclDevCommDestroy(comm, &dc));
  for (auto& [memory, window] : boxes) {
    MUST(ncclCommWindowDeregister(comm, window));
    MUST(ncclMemFree(memory));
  }
  MUST(cudaFree(sums));
  MUST(ncclCommDestroy(comm));
  MPI_Finalize();
  return wrong != 0;
}
