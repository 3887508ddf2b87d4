// expect: unready-source
// also: unawaited-data
// twin: gin_split_kernels.cu
// mistake: the communication stream does not wait for the event of pack before it posts the puts
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <cstring>
#include <vector>

#define CHECK_CUDA(c)                                                                       \
  do {                                                                                      \
    cudaError_t s_ = (c);                                                                   \
    if (s_ != cudaSuccess) {                                                                \
      fprintf(stderr, "[%s:%d] %s: %s\n", __FILE__, __LINE__, #c, cudaGetErrorString(s_));  \
      MPI_Abort(MPI_COMM_WORLD, 1);                                                         \
    }                                                                                       \
  } while (0)
#define CHECK_NCCL(c)                                                                       \
  do {                                                                                      \
    ncclResult_t s_ = (c);                                                                  \
    if (s_ != ncclSuccess) {                                                                \
      fprintf(stderr, "[%s:%d] %s: %s\n", __FILE__, __LINE__, #c, ncclGetErrorString(s_));  \
      MPI_Abort(MPI_COMM_WORLD, 1);                                                         \
    }                                                                                       \
  } while (0)

static const int kElems = 64, kIters = 4;

__global__ void pack(float* send, int nranks, int rank, int it) {
  for (int p = 0; p < nranks; p++) send[p * kElems + threadIdx.x] = 100.0f * rank + 10.0f * p + it + 0.25f * threadIdx.x;
}

__global__ void post_puts(ncclWindow_t send, ncclWindow_t recv, ncclDevComm dc) {
  ncclGin gin{dc, 2};
  ncclTeam world = ncclTeamWorld(dc);
  ncclBarrierSession<ncclCoopCta> bar{ncclCoopCta(), ncclTeamTagWorld(), gin, 0};
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
  if (threadIdx.x == 0) {
    size_t bytes = kElems * sizeof(float);
    for (int k = 1; k < world.nRanks; k++) {
      int p = (world.rank + k) % world.nRanks;
      gin.put(world, p, recv, world.rank * bytes, send, p * bytes, bytes, ncclGin_SignalInc{0});
    }
  }
}

__global__ void await_puts(uint64_t arrivals, ncclDevComm dc) {
  ncclGin gin{dc, 2};
  gin.waitSignal(ncclCoopThread(), 0, arrivals);
  gin.flush(ncclCoopThread());
}

__global__ void unpack(const float* send, const float* recv, float* out, int nranks, int rank) {
  float sum = send[rank * kElems + threadIdx.x];
  for (int r = 0; r < nranks; r++)
    if (r != rank) sum += recv[r * kElems + threadIdx.x];
  out[threadIdx.x] += sum;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, nranks, ndev;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  CHECK_CUDA(cudaGetDeviceCount(&ndev));
  CHECK_CUDA(cudaSetDevice(rank % ndev));
  ncclUniqueId id;
  if (rank == 0) CHECK_NCCL(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  CHECK_NCCL(ncclCommInitRank(&comm, nranks, id, rank));

  size_t bytes = nranks * kElems * sizeof(float);
  float *send, *recv, *out;
  ncclWindow_t wsend = nullptr, wrecv = nullptr;
  CHECK_NCCL(ncclMemAlloc((void**)&send, bytes));
  CHECK_NCCL(ncclMemAlloc((void**)&recv, bytes));
  CHECK_NCCL(ncclCommWindowRegister(comm, send, bytes, &wsend, NCCL_WIN_COLL_SYMMETRIC));
  CHECK_NCCL(ncclCommWindowRegister(comm, recv, bytes, &wrecv, NCCL_WIN_COLL_SYMMETRIC));
  CHECK_CUDA(cudaMalloc((void**)&out, kElems * sizeof(float)));
  CHECK_CUDA(cudaMemset(out, 0, kElems * sizeof(float)));
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof(reqs));
  reqs.barrierCount = 1;
  reqs.ginSignalCount = 1;
  ncclDevComm dc;
  CHECK_NCCL(ncclDevCommCreate(comm, &reqs, &dc));
  cudaStream_t compute, comms;
  cudaEvent_t packed, arrived;
  CHECK_CUDA(cudaStreamCreateWithFlags(&compute, cudaStreamNonBlocking));
  CHECK_CUDA(cudaStreamCreateWithFlags(&comms, cudaStreamNonBlocking));
  CHECK_CUDA(cudaEventCreateWithFlags(&packed, cudaEventDisableTiming));
  CHECK_CUDA(cudaEventCreateWithFlags(&arrived, cudaEventDisableTiming));
  CHECK_CUDA(cudaDeviceSynchronize());  // the non-blocking streams do not wait for the memset

  for (int it = 0; it < kIters; it++) {
    pack<<<1, kElems, 0, compute>>>(send, nranks, rank, it);
    CHECK_CUDA(cudaEventRecord(packed, compute));
    post_puts<<<1, 32, 0, comms>>>(wsend, wrecv, dc);  // DEFECT
    await_puts<<<1, 1, 0, comms>>>((uint64_t)(it + 1) * (nranks - 1), dc);
    CHECK_CUDA(cudaEventRecord(arrived, comms));
    CHECK_CUDA(cudaStreamWaitEvent(compute, arrived, 0));
    unpack<<<1, kElems, 0, compute>>>(send, recv, out, nranks, rank);
  }
  CHECK_CUDA(cudaGetLastError());
  CHECK_CUDA(cudaStreamSynchronize(compute));

  std::vector<float> h(kElems);
  CHECK_CUDA(cudaMemcpy(h.data(), out, kElems * sizeof(float), cudaMemcpyDeviceToHost));
  int bad = 0;
  for (int i = 0; i < kElems; i++) {
    float want = 0;
    for (int it = 0; it < kIters; it++)
      for (int r = 0; r < nranks; r++) want += 100.0f * r + 10.0f * rank + it + 0.25f * i;
    if (h[i] != want) bad++;
  }
  MPI_Allreduce(MPI_IN_PLACE, &bad, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s\n", bad ? "FAIL" : "PASS");

  CHECK_NCCL(ncclDevCommDestroy(comm, &dc));
  CHECK_NCCL(ncclCommWindowDeregister(comm, wsend));
  CHECK_NCCL(ncclCommWindowDeregister(comm, wrecv));
  CHECK_NCCL(ncclMemFree(send));
  CHECK_NCCL(ncclMemFree(recv));
  CHECK_CUDA(cudaFree(out));
  CHECK_CUDA(cudaEventDestroy(packed));
  CHECK_CUDA(cudaEventDestroy(arrived));
  CHECK_CUDA(cudaStreamDestroy(compute));
  CHECK_CUDA(cudaStreamDestroy(comms));
  CHECK_NCCL(ncclCommDestroy(comm));
  MPI_Finalize();
  return bad ? 1 : 0;
}
