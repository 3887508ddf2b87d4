// expect: livelock
// twin: host_rpc_server.cu
// mistake: the client polls the signal's shadow, which only this program itself could change
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

#define CUDA(x) do { cudaError_t e = (x); if (e) { fprintf(stderr, "%d: %s\n", __LINE__, cudaGetErrorString(e)); MPI_Abort(MPI_COMM_WORLD, 1); } } while (0)
#define NCCL(x) do { ncclResult_t e = (x); if (e) { fprintf(stderr, "%d: %s\n", __LINE__, ncclGetErrorString(e)); MPI_Abort(MPI_COMM_WORLD, 1); } } while (0)

#define WORDS 32
#define BYTES (WORDS * sizeof(int))
enum { REQUEST_OUT = 0, REQUEST_IN = BYTES, ANSWER_OUT = 2 * BYTES, ANSWER_IN = 3 * BYTES, TOTAL = 4 * BYTES };
enum { SIG_REQUEST, SIG_ANSWER, SIGNALS };

__global__ void server(ncclWindow_t win, int launch, ncclDevComm dc) {
  ncclGin gin{dc, 0};
  ncclTeam world = ncclTeamWorld(dc);
  int left = (world.rank + world.nRanks - 1) % world.nRanks;
  gin.waitSignal(ncclCoopWarp(), SIG_REQUEST, launch + 1);
  const int* request = (const int*)ncclGetLocalPointer(win, REQUEST_IN);
  int* answer = (int*)ncclGetLocalPointer(win, ANSWER_OUT);
  answer[threadIdx.x] = request[threadIdx.x] * 3 + world.rank;
  gin.put(world, left, win, ANSWER_IN, win, ANSWER_OUT, BYTES, ncclGin_SignalInc{SIG_ANSWER}, ncclGin_None{}, ncclCoopWarp());
  gin.flush(ncclCoopWarp());
}

__global__ void client(ncclWindow_t win, int launch, int* result, ncclDevComm dc) {
  ncclGin gin{dc, 0};
  ncclTeam world = ncclTeamWorld(dc);
  int right = (world.rank + 1) % world.nRanks;
  int* request = (int*)ncclGetLocalPointer(win, REQUEST_OUT);
  request[threadIdx.x] = launch * 1000 + world.rank * 100 + threadIdx.x;
  gin.put(world, right, win, REQUEST_IN, win, REQUEST_OUT, BYTES, ncclGin_SignalInc{SIG_REQUEST}, ncclGin_None{}, ncclCoopWarp());
  while (*(volatile uint64_t*)gin.getSignalShadowPtr(SIG_ANSWER) < (uint64_t)launch + 1) {  // DEFECT
  }
  result[threadIdx.x] = ((const int*)ncclGetLocalPointer(win, ANSWER_IN))[threadIdx.x];
  gin.flush(ncclCoopWarp());
}

int main(int argc, char** argv) {
  int rank, nranks, devices;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  CUDA(cudaGetDeviceCount(&devices));
  CUDA(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) NCCL(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  NCCL(ncclCommInitRank(&comm, nranks, id, rank));

  void* memory;
  ncclWindow_t win = NULL;
  NCCL(ncclMemAlloc(&memory, TOTAL));
  NCCL(ncclCommWindowRegister(comm, memory, TOTAL, &win, NCCL_WIN_COLL_SYMMETRIC));
  int* result;
  CUDA(cudaMalloc((void**)&result, BYTES));
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof reqs);
  reqs.ginSignalCount = SIGNALS;
  ncclDevComm dc;
  NCCL(ncclDevCommCreate(comm, &reqs, &dc));
  cudaStream_t serving, asking;
  CUDA(cudaStreamCreateWithFlags(&serving, cudaStreamNonBlocking));
  CUDA(cudaStreamCreateWithFlags(&asking, cudaStreamNonBlocking));
  cudaFuncAttributes attributes;  // asking for them loads the kernels
  CUDA(cudaFuncGetAttributes(&attributes, server));
  CUDA(cudaFuncGetAttributes(&attributes, client));

  int wrong = 0;
  std::vector<int> got(WORDS);
  for (int launch = 0; launch < 4; launch++) {
    server<<<1, WORDS, 0, serving>>>(win, launch, dc);
    client<<<1, WORDS, 0, asking>>>(win, launch, result, dc);
    CUDA(cudaGetLastError());
    CUDA(cudaStreamSynchronize(asking));
    CUDA(cudaStreamSynchronize(serving));
    CUDA(cudaMemcpy(got.data(), result, BYTES, cudaMemcpyDeviceToHost));
    for (int i = 0; i < WORDS; i++)
      if (got[i] != (launch * 1000 + rank * 100 + i) * 3 + (rank + 1) % nranks) wrong++;
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s\n", wrong ? "FAIL" : "PASS");
  NCCL(ncclDevCommDestroy(comm, &dc));
  NCCL(ncclCommWindowDeregister(comm, win));
  NCCL(ncclMemFree(memory));
  CUDA(cudaFree(result));
  CUDA(cudaStreamDestroy(serving));
  CUDA(cudaStreamDestroy(asking));
  NCCL(ncclCommDestroy(comm));
  MPI_Finalize();
  return wrong ? 1 : 0;
}
