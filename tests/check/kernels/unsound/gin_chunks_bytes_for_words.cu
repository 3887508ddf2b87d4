// expect: uninitialized-read
// twin: gin_pipelined_chunks.cu
// mistake: the put is given the number of words instead of bytes, so the tail of every chunk is never written anywhere
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

#define CHUNKS 6
#define WARPS 2
#define WORDS 48
#define CHUNK_BYTES (WORDS * sizeof(int))

#define CALL(f, ...)                                                       \
  do {                                                                     \
    const int result = f(__VA_ARGS__);                                     \
    if (result != 0) {                                                     \
      std::fprintf(stderr, #f " failed: %d\n", result);                    \
      MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);                             \
    }                                                                      \
  } while (0)

__global__ void shift(const int* user_in, int* user_out, ncclWindow_t packed, ncclWindow_t arrived, unsigned launch,
                      ncclDevComm dc) {
  ncclGin gin(dc, 1);
  const ncclTeam world = ncclTeamWorld(dc);
  {
    ncclBarrierSession<ncclCoopCta> bar(ncclCoopCta(), ncclTeamTagWorld(), gin, 0);
    bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
  }
  const ncclCoopWarp warp;
  const int lane = warp.thread_rank(), first = threadIdx.x / 32;
  const int right = world.rank + 1 < world.nRanks ? world.rank + 1 : 0;
  for (int c = first; c < CHUNKS; c += WARPS) {
    int* box = (int*)ncclGetLocalPointer(packed, c * CHUNK_BYTES);
    for (int i = lane; i < WORDS; i += 32) box[i] = user_in[i * CHUNKS + c];
    gin.put(world, right, arrived, c * CHUNK_BYTES, packed, c * CHUNK_BYTES, WORDS,
            ncclGin_SignalInc{(ncclGinSignal_t)c}, ncclGin_None{}, warp);
  }
  for (int c = first; c < CHUNKS; c += WARPS) {
    gin.waitSignal(warp, c, launch + 1);
    const int* box = (const int*)ncclGetLocalPointer(arrived, c * CHUNK_BYTES);
    for (int i = lane; i < WORDS; i += 32) user_out[i * CHUNKS + c] = box[i];  // DEFECT
  }
  gin.flush(warp);
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  int devices;
  CALL(cudaGetDeviceCount, &devices);
  CALL(cudaSetDevice, rank % devices);
  ncclUniqueId id;
  if (rank == 0) CALL(ncclGetUniqueId, &id);
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  CALL(ncclCommInitRank, &comm, size, id, rank);

  std::vector<void*> memory(2);
  std::vector<ncclWindow_t> windows(2);
  for (int k = 0; k < 2; ++k) {
    CALL(ncclMemAlloc, &memory[k], CHUNKS * CHUNK_BYTES);
    CALL(ncclCommWindowRegister, comm, memory[k], CHUNKS * CHUNK_BYTES, &windows[k], NCCL_WIN_COLL_SYMMETRIC);
  }
  int *in, *out;
  CALL(cudaMalloc, (void**)&in, CHUNKS * CHUNK_BYTES);
  CALL(cudaMalloc, (void**)&out, CHUNKS * CHUNK_BYTES);
  cudaStream_t stream;
  CALL(cudaStreamCreate, &stream);
  ncclDevCommRequirements reqs = {};
  reqs.barrierCount = 1;
  reqs.ginSignalCount = CHUNKS;
  ncclDevComm dc;
  CALL(ncclDevCommCreate, comm, &reqs, &dc);

  int wrong = 0;
  std::vector<int> host(CHUNKS * WORDS);
  for (unsigned launch = 0; launch < 4; ++launch) {
    std::iota(host.begin(), host.end(), 10000 * rank + 1000 * (int)launch);
    CALL(cudaMemcpyAsync, in, host.data(), CHUNKS * CHUNK_BYTES, cudaMemcpyHostToDevice, stream);
    shift<<<1, 32 * WARPS, 0, stream>>>(in, out, windows[0], windows[1], launch, dc);
    CALL(cudaGetLastError);
    CALL(cudaMemcpyAsync, host.data(), out, CHUNKS * CHUNK_BYTES, cudaMemcpyDeviceToHost, stream);
    CALL(cudaStreamSynchronize, stream);
    for (int i = 0; i < CHUNKS * WORDS; ++i)
      wrong += host[i] != 10000 * ((rank + size - 1) % size) + 1000 * (int)launch + i;
  }

  int verdict = wrong;
  MPI_Allreduce(&wrong, &verdict, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) std::printf("%s\n", verdict ? "FAIL" : "PASS");
  CALL(ncclDevCommDestroy, comm, &dc);
  for (int k = 0; k < 2; ++k) {
    CALL(ncclCommWindowDeregister, comm, windows[k]);
    CALL(ncclMemFree, memory[k]);
  }
  CALL(cudaFree, in);
  CALL(cudaFree, out);
  CALL(cudaStreamDestroy, stream);
  CALL(ncclCommDestroy, comm);
  MPI_Finalize();
  return verdict ? EXIT_FAILURE : EXIT_SUCCESS;
}
