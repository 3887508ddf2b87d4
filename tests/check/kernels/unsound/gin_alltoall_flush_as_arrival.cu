// expect: flush-is-not-delivery
// also: unawaited-data
// twin: gin_alltoall_blocks.cu
// mistake: flush and the closing barrier are taken for the arrival of the peers' data
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#define CUDACHECK(cmd) do { cudaError_t e = cmd; if (e != cudaSuccess) { printf("CUDA failure %s:%d '%s'\n", __FILE__, __LINE__, cudaGetErrorString(e)); exit(EXIT_FAILURE); } } while (0)
#define NCCLCHECK(cmd) do { ncclResult_t r = cmd; if (r != ncclSuccess) { printf("NCCL failure %s:%d '%s'\n", __FILE__, __LINE__, ncclGetErrorString(r)); exit(EXIT_FAILURE); } } while (0)

#define PLANES 3
#define COUNT 40  /* elements per plane and peer */

__global__ void alltoall(ncclWindow_t sendwin, ncclWindow_t recvwin, ncclDevComm devComm) {
  ncclGin gin{devComm, 0};
  ncclTeam world = ncclTeamWorld(devComm);
  unsigned int signal = blockIdx.x;
  uint64_t baseline = gin.readSignal(signal);
  ncclBarrierSession<ncclCoopCta> bar{ncclCoopCta(), ncclTeamTagWorld(), gin, blockIdx.x};
  bar.sync(ncclCoopCta(), cuda::memory_order_acquire, ncclGinFenceLevel::Relaxed);

  size_t bytes = COUNT * sizeof(int);
  size_t plane = (size_t)blockIdx.x * world.nRanks * bytes;
  for (int r = threadIdx.x; r < world.nRanks; r += blockDim.x)
    gin.put(world, r, recvwin, plane + world.rank * bytes, sendwin, plane + r * bytes, bytes, ncclGin_SignalInc{signal});

  gin.flush(ncclCoopCta());  // DEFECT
  bar.sync(ncclCoopCta(), cuda::memory_order_release, ncclGinFenceLevel::Relaxed);
}

int main(int argc, char* argv[]) {
  MPI_Init(&argc, &argv);
  int rank, nranks, ndev;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  CUDACHECK(cudaGetDeviceCount(&ndev));
  CUDACHECK(cudaSetDevice(rank % ndev));
  ncclUniqueId id;
  if (rank == 0) NCCLCHECK(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  NCCLCHECK(ncclCommInitRank(&comm, nranks, id, rank));
  cudaStream_t stream;
  CUDACHECK(cudaStreamCreate(&stream));

  size_t total = (size_t)PLANES * nranks * COUNT;
  int *sendbuf, *recvbuf;
  ncclWindow_t sendwin = NULL, recvwin = NULL;
  NCCLCHECK(ncclMemAlloc((void**)&sendbuf, total * sizeof(int)));
  NCCLCHECK(ncclMemAlloc((void**)&recvbuf, total * sizeof(int)));
  NCCLCHECK(ncclCommWindowRegister(comm, sendbuf, total * sizeof(int), &sendwin, NCCL_WIN_COLL_SYMMETRIC));
  NCCLCHECK(ncclCommWindowRegister(comm, recvbuf, total * sizeof(int), &recvwin, NCCL_WIN_COLL_SYMMETRIC));

  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof(reqs));
  reqs.barrierCount = PLANES;
  reqs.ginSignalCount = PLANES;
  ncclDevComm devComm;
  NCCLCHECK(ncclDevCommCreate(comm, &reqs, &devComm));

  std::vector<int> h(total);
  int errors = 0;
  for (int iter = 0; iter < 4; iter++) {
    for (int p = 0; p < PLANES; p++)
      for (int r = 0; r < nranks; r++)
        for (int i = 0; i < COUNT; i++)
          h[(p * nranks + r) * COUNT + i] = iter * 1000000 + p * 100000 + rank * 10000 + r * 1000 + i;
    CUDACHECK(cudaMemcpyAsync(sendbuf, h.data(), total * sizeof(int), cudaMemcpyHostToDevice, stream));
    alltoall<<<PLANES, 64, 0, stream>>>(sendwin, recvwin, devComm);
    CUDACHECK(cudaGetLastError());
    CUDACHECK(cudaStreamSynchronize(stream));
    CUDACHECK(cudaMemcpy(h.data(), recvbuf, total * sizeof(int), cudaMemcpyDeviceToHost));
    for (int p = 0; p < PLANES; p++)
      for (int r = 0; r < nranks; r++)
        for (int i = 0; i < COUNT; i++)
          if (h[(p * nranks + r) * COUNT + i] != iter * 1000000 + p * 100000 + r * 10000 + rank * 1000 + i) errors++;
  }

  int sum = 0;
  MPI_Allreduce(&errors, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("Verification: %s\n", sum ? "FAIL" : "PASS");

  NCCLCHECK(ncclDevCommDestroy(comm, &devComm));
  NCCLCHECK(ncclCommWindowDeregister(comm, sendwin));
  NCCLCHECK(ncclCommWindowDeregister(comm, recvwin));
  NCCLCHECK(ncclMemFree(sendbuf));
  NCCLCHECK(ncclMemFree(recvbuf));
  CUDACHECK(cudaStreamDestroy(stream));
  NCCLCHECK(ncclCommDestroy(comm));
  MPI_Finalize();
  return sum ? 1 : 0;
}
