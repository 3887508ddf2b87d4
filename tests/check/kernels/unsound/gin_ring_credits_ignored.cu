// expect: early-overwrite
// twin: gin_ring_allreduce_credits.cu
// mistake: a staging slot is filled again without waiting for the credit of its last use
// ranks: 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <cstring>
#include <vector>

#define OK(expr) do { int rc_ = (int)(expr); if (rc_) { fprintf(stderr, "%s:%d rc=%d\n", __FILE__, __LINE__, rc_); MPI_Abort(MPI_COMM_WORLD, rc_); } } while (0)

static constexpr int CHUNK = 32, ROUNDS = 2, LAUNCHES = 3, MAX_RANKS = 8;
static constexpr size_t CHUNK_BYTES = CHUNK * sizeof(int);
static constexpr size_t STAGE = MAX_RANKS * CHUNK_BYTES;  // two staging slots behind the data
static constexpr size_t WINDOW = STAGE + 2 * CHUNK_BYTES;
enum Signal : unsigned { PARTIAL = 0, CREDIT = 1, RESULT = 2, SIGNALS = 3 };

__device__ int wrap(int i, int n) { return ((i % n) + n) % n; }

__global__ void allreduce(ncclWindow_t win, const int* input, int* output, int launch, ncclDevComm dc) {
  ncclCoopCta cta;
  ncclGin gin{dc, 0};
  ncclTeam world = ncclTeamWorld(dc);
  int n = world.nRanks, me = world.rank, right = wrap(me + 1, n), left = wrap(me - 1, n), t = threadIdx.x;
  int* data = (int*)ncclGetLocalPointer(win, 0);
  int* stage = (int*)ncclGetLocalPointer(win, STAGE);
  ncclBarrierSession<ncclCoopCta> bar{cta, ncclTeamTagWorld(), gin, 0};

  for (int round = 0; round < ROUNDS; round++) {
    uint64_t sent = (uint64_t)(launch * ROUNDS + round) * (n - 1);  // steps of all earlier rounds
    for (int c = 0; c < n; c++) data[c * CHUNK + t] = input[(round * n + c) * CHUNK + t];
    __syncthreads();
    for (int s = 0; s < n - 1; s++) {
      uint64_t k = sent + s;
      gin.put(world, right, win, STAGE + (k % 2) * CHUNK_BYTES, win, wrap(me - s, n) * CHUNK_BYTES, CHUNK_BYTES,  // DEFECT
              ncclGin_SignalInc{PARTIAL}, ncclGin_None{}, cta);
      gin.waitSignal(cta, PARTIAL, k + 1);
      data[wrap(me - s - 1, n) * CHUNK + t] += stage[(k % 2) * CHUNK + t];
      gin.signal(world, left, ncclGin_SignalInc{CREDIT}, cta);
      gin.flush(cta);
    }
    bar.sync(cta, cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
    for (int s = 0; s < n - 1; s++) {  // finished chunks go straight into place
      size_t at = wrap(me + 1 - s, n) * CHUNK_BYTES;
      gin.put(world, right, win, at, win, at, CHUNK_BYTES, ncclGin_SignalInc{RESULT}, ncclGin_None{}, cta);
      gin.waitSignal(cta, RESULT, sent + s + 1);
      gin.flush(cta);
    }
    for (int c = 0; c < n; c++) output[(round * n + c) * CHUNK + t] = data[c * CHUNK + t];
    bar.sync(cta, cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
  }
  gin.waitSignal(cta, CREDIT, (uint64_t)(launch + 1) * ROUNDS * (n - 1));  // none stays under way
}

int main(int argc, char** argv) {
  int rank, n, devices;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &n);
  if (n > MAX_RANKS) MPI_Abort(MPI_COMM_WORLD, 1);
  OK(cudaGetDeviceCount(&devices));
  OK(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) OK(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  OK(ncclCommInitRank(&comm, n, id, rank));

  void* memory;
  ncclWindow_t win = nullptr;
  OK(ncclMemAlloc(&memory, WINDOW));
  OK(ncclCommWindowRegister(comm, memory, WINDOW, &win, NCCL_WIN_COLL_SYMMETRIC));
  const int count = ROUNDS * n * CHUNK;
  int *input, *output;
  OK(cudaMalloc((void**)&input, count * sizeof(int)));
  OK(cudaMalloc((void**)&output, count * sizeof(int)));
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof(reqs));
  reqs.barrierCount = 1;
  reqs.ginSignalCount = SIGNALS;
  ncclDevComm dc;
  OK(ncclDevCommCreate(comm, &reqs, &dc));

  int wrong = 0;
  std::vector<int> host(count);
  for (int launch = 0; launch < LAUNCHES; launch++) {
    for (int i = 0; i < count; i++) host[i] = (rank + 1) * (i % 97) + launch;
    OK(cudaMemcpy(input, host.data(), count * sizeof(int), cudaMemcpyHostToDevice));
    allreduce<<<1, CHUNK>>>(win, input, output, launch, dc);
    OK(cudaGetLastError());
    OK(cudaDeviceSynchronize());
    OK(cudaMemcpy(host.data(), output, count * sizeof(int), cudaMemcpyDeviceToHost));
    for (int i = 0; i < count; i++) wrong += host[i] != n * (n + 1) / 2 * (i % 97) + n * launch;
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s\n", wrong ? "FAIL" : "PASS");
  OK(ncclDevCommDestroy(comm, &dc));
  OK(ncclCommWindowDeregister(comm, win));
  OK(ncclMemFree(memory));
  OK(cudaFree(input));
  OK(cudaFree(output));
  OK(ncclCommDestroy(comm));
  MPI_Finalize();
  return wrong ? 1 : 0;
}
