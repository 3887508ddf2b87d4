// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Bandwidth-test style all-to-all assembled from point-to-point calls: one group, one send and one receive per peer.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#define CUDACHECK(cmd) do {                         \
  cudaError_t err = cmd;                            \
  if (err != cudaSuccess) {                         \
    printf("Failed: Cuda error %s:%d '%s'\n",       \
        __FILE__, __LINE__, cudaGetErrorString(err)); \
    exit(EXIT_FAILURE);                             \
  }                                                 \
} while(0)

// Propagates instead of exiting: for functions that return ncclResult_t.
#define NCCLTRY(cmd) do {                           \
  ncclResult_t res = cmd;                           \
  if (res != ncclSuccess) return res;               \
} while(0)

#define NCCLCHECK(cmd) do {                         \
  ncclResult_t res = cmd;                           \
  if (res != ncclSuccess) {                         \
    printf("Failed, NCCL error %s:%d '%s'\n",       \
        __FILE__, __LINE__, ncclGetErrorString(res)); \
    exit(EXIT_FAILURE);                             \
  }                                                 \
} while(0)

static size_t TypeSize(ncclDataType_t type) {
  switch (type) {
    case ncclInt8: case ncclUint8: return 1;
    case ncclFloat16: return 2;
    case ncclInt32: case ncclUint32: case ncclFloat32: return 4;
    case ncclInt64: case ncclUint64: case ncclFloat64: return 8;
    default: return 0;
  }
}

// count elements for every peer; block i of sendbuff goes to rank i, block i of recvbuff comes from rank i.
static ncclResult_t AlltoallRunColl(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t type, int nRanks, ncclComm_t comm, cudaStream_t stream) {
  size_t rankOffset = count * TypeSize(type);
  if (rankOffset == 0) return ncclInvalidArgument;
  NCCLTRY(ncclGroupStart());
  for (int r = 0; r < nRanks; r++) {
    NCCLTRY(ncclSend(((const char*)sendbuff) + r * rankOffset, count, type, r, comm, stream));
    NCCLTRY(ncclRecv(((char*)recvbuff) + r * rankOffset, count, type, r, comm, stream));
  }
  NCCLTRY(ncclGroupEnd());
  return ncclSuccess;
}

static __host__ __device__ uint32_t TestValue(uint32_t iter, uint32_t src, uint32_t dst, uint32_t offset) {
  uint32_t x = iter * 0x9E3779B9u + src * 0x85EBCA77u + dst * 0xC2B2AE3Du + offset * 0x27D4EB2Fu + 0x165667B1u;
  x = (x ^ (x >> 15)) * 0x2C1B3C6Du;
  x = (x ^ (x >> 12)) * 0x297A2D39u;
  return x ^ (x >> 15);
}

__global__ void InitData(uint32_t* data, size_t count, int nRanks, int rank, int iter) {
  for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count * nRanks; i += gridDim.x * blockDim.x)
    data[i] = TestValue(iter, rank, i / count, i % count);
}

int main(int argc, char* argv[]) {
  size_t count = 1500;  // per peer
  int iters = 4;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string opt = argv[i];
    if (opt == "-c") count = strtoull(argv[i + 1], nullptr, 0);
    if (opt == "-n") iters = atoi(argv[i + 1]);
  }

  MPI_Init(&argc, &argv);
  int myRank, nRanks;
  MPI_Comm_rank(MPI_COMM_WORLD, &myRank);
  MPI_Comm_size(MPI_COMM_WORLD, &nRanks);

  int nDev = 0;
  CUDACHECK(cudaGetDeviceCount(&nDev));
  CUDACHECK(cudaSetDevice(myRank % nDev));

  ncclUniqueId id;
  if (myRank == 0) NCCLCHECK(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  NCCLCHECK(ncclCommInitRank(&comm, nRanks, id, myRank));

  const size_t total = count * nRanks;
  const size_t guard = 64;  // elements behind the receive buffer that nobody may touch
  uint32_t *sendbuff, *recvbuff;
  CUDACHECK(cudaMalloc((void**)&sendbuff, total * sizeof(uint32_t)));
  CUDACHECK(cudaMalloc((void**)&recvbuff, (total + guard) * sizeof(uint32_t)));
  cudaStream_t stream;
  CUDACHECK(cudaStreamCreate(&stream));

  double sec = 0;
  long long wrong = 0;
  std::vector<uint32_t> host(total + guard);
  for (int iter = 0; iter < iters; iter++) {
    InitData<<<16, 128, 0, stream>>>(sendbuff, count, nRanks, myRank, iter);
    CUDACHECK(cudaGetLastError());
    CUDACHECK(cudaMemsetAsync(recvbuff, 0xa5, (total + guard) * sizeof(uint32_t), stream));
    CUDACHECK(cudaStreamSynchronize(stream));
    MPI_Barrier(MPI_COMM_WORLD);

    const auto start = std::chrono::steady_clock::now();
    NCCLCHECK(AlltoallRunColl(sendbuff, recvbuff, count, ncclUint32, nRanks, comm, stream));
    CUDACHECK(cudaStreamSynchronize(stream));
    sec += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

    CUDACHECK(cudaMemcpy(host.data(), recvbuff, host.size() * sizeof(uint32_t), cudaMemcpyDeviceToHost));
    for (int r = 0; r < nRanks; r++)
      for (size_t i = 0; i < count; i++)
        if (host[r * count + i] != TestValue(iter, r, myRank, i)) wrong++;
    for (size_t i = total; i < total + guard; i++)
      if (host[i] != 0xa5a5a5a5u) wrong++;
  }

  printf("Time: %.5f ms\n", sec * 1e3 / iters);
  printf("Verification: %s\n", wrong == 0 ? "PASS" : "FAIL");

  CUDACHECK(cudaStreamDestroy(stream));
  CUDACHECK(cudaFree(sendbuff));
  CUDACHECK(cudaFree(recvbuff));
  NCCLCHECK(ncclCommDestroy(comm));
  MPI_Finalize();
  return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
