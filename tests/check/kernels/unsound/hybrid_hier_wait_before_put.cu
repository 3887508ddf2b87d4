// expect: deadlock
// twin: hybrid_hierarchical_allreduce.cu
// mistake: every rank awaits its rail partners' sums before it puts its own (shows on two nodes)
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

#define NUM 192       /* elements, a multiple of all team sizes */
#define THREADS 64
#define MAX_RAIL 8
#define CK(x)                                                         \
  do {                                                                \
    int e_ = (int)(x);                                                \
    if (e_ != 0) {                                                    \
      printf("%s:%d: %s returned %d\n", __FILE__, __LINE__, #x, e_);  \
      MPI_Abort(MPI_COMM_WORLD, e_);                                  \
    }                                                                 \
  } while (0)

struct Work {
  double in[NUM];
  double out[NUM];
  double partial[NUM];
  double rail[MAX_RAIL][NUM];
};

__global__ void allreduce(ncclWindow_t win, uint64_t launch, ncclDevComm dc) {
  ncclCoopCta cta;
  ncclGin gin{dc, 0};
  ncclTeam lsa = ncclTeamLsa(dc), rail = ncclTeamRail(dc);
  Work* w = (Work*)ncclGetLocalPointer(win, 0);
  const int slice = NUM / lsa.nRanks, first = lsa.rank * slice, tid = threadIdx.x;
  ncclBarrierSession<ncclCoopCta> bar{cta, ncclTeamTagWorld(), gin, 0};
  bar.sync(cta, cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);

  for (int i = first + tid; i < first + slice; i += blockDim.x) {
    double sum = 0;
    for (int l = 0; l < lsa.nRanks; l++) sum += ((Work*)ncclGetLsaPointer(win, 0, l))->in[i];
    w->partial[i] = sum;
  }
  __syncthreads();
  for (int r = 0; r < rail.nRanks; r++)
    if (r != rail.rank) gin.waitSignal(cta, r, launch + 1);  // DEFECT
  if (tid < rail.nRanks && tid != rail.rank)
    gin.put(rail, tid, win, offsetof(Work, rail) + (rail.rank * NUM + first) * sizeof(double), win,
            offsetof(Work, partial) + first * sizeof(double), slice * sizeof(double),
            ncclGin_SignalInc{(ncclGinSignal_t)rail.rank});
  for (int i = first + tid; i < first + slice; i += blockDim.x) {
    double sum = w->partial[i];
    for (int r = 0; r < rail.nRanks; r++)
      if (r != rail.rank) sum += w->rail[r][i];
    w->out[i] = sum;
  }
  bar.lsaBarrier().sync(cta, cuda::memory_order_acq_rel);
  for (int l = 0; l < lsa.nRanks; l++) {
    if (l == lsa.rank) continue;
    const Work* peer = (const Work*)ncclGetLsaPointer(win, 0, l);
    for (int i = l * slice + tid; i < (l + 1) * slice; i += blockDim.x) w->out[i] = peer->out[i];
  }
  gin.flush(cta);
  bar.lsaBarrier().sync(cta, cuda::memory_order_acq_rel);
}

int main(int argc, char** argv) {
  int rank, size, devices;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  CK(cudaGetDeviceCount(&devices));
  CK(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) CK(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  CK(ncclCommInitRank(&comm, size, id, rank));
  Work* work;
  ncclWindow_t win = NULL;
  CK(ncclMemAlloc((void**)&work, sizeof(Work)));
  CK(ncclCommWindowRegister(comm, work, sizeof(Work), &win, NCCL_WIN_COLL_SYMMETRIC));
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof(reqs));
  reqs.barrierCount = 1;
  reqs.ginSignalCount = MAX_RAIL;
  ncclDevComm dc;
  CK(ncclDevCommCreate(comm, &reqs, &dc));
  cudaStream_t stream;
  CK(cudaStreamCreate(&stream));

  int wrong = 0;
  std::vector<double> host(NUM);
  for (int launch = 0; launch < 4; launch++) {
    for (int i = 0; i < NUM; i++) host[i] = rank * 0.5 + i + launch * 3;
    CK(cudaMemcpyAsync(work->in, host.data(), sizeof(work->in), cudaMemcpyHostToDevice, stream));
    allreduce<<<1, THREADS, 0, stream>>>(win, launch, dc);
    CK(cudaGetLastError());
    CK(cudaStreamSynchronize(stream));
    CK(cudaMemcpy(host.data(), work->out, sizeof(work->out), cudaMemcpyDeviceToHost));
    for (int i = 0; i < NUM; i++)
      if (host[i] != 0.25 * size * (size - 1) + size * (i + launch * 3.0)) wrong++;
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s\n", wrong ? "FAIL" : "PASS");
  CK(ncclDevCommDestroy(comm, &dc));
  CK(ncclCommWindowDeregister(comm, win));
  CK(ncclMemFree(work));
  CK(cudaStreamDestroy(stream));
  CK(ncclCommDestroy(comm));
  MPI_Finalize();
  return wrong ? 1 : 0;
}
