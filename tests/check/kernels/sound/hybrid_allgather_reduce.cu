// expect: sound
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Rounds of all-gather and local reduction in one launch, near ranks by store, far ranks by put. Before the rows are
// added up: the signal says that the far rows came, the acq_rel LSA barrier that the near ones did. The hybrid barrier
// at the end of a round keeps everybody from writing the next rows too early; the flush before it frees the source.
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <functional>
#include <vector>

constexpr int kRow = 64, kRounds = 3, kLaunches = 3;

struct Job {
  ncclWindow_t rows, source;
  int* sums;
  int first;  // number of the first round
};

struct Topology {
  ncclTeam world, lsa;
  __device__ explicit Topology(const ncclDevComm& dc) : world(ncclTeamWorld(dc)), lsa(ncclTeamLsa(dc)) {}
  __device__ bool near(int r) const { return ncclTeamRankIsMember(lsa, world, r); }
  __device__ int far_ranks() const { return world.nRanks - lsa.nRanks; }
};

__device__ void push_row(const ncclGin& gin, const Topology& t, const Job& job) {
  const size_t bytes = kRow * sizeof(int), at = t.world.rank * bytes;
  const int* mine = (const int*)ncclGetLocalPointer(job.source, 0);
  for (int r = 0; r < t.world.nRanks; ++r) {
    if (t.near(r))
      ((int*)ncclGetPeerPointer(job.rows, at, t.world, r))[threadIdx.x] = mine[threadIdx.x];
    else if (threadIdx.x == 0)
      gin.put(t.world, r, job.rows, at, job.source, 0, bytes, ncclGin_SignalInc{0});
  }
}

__global__ void gather_and_add(Job job, ncclDevComm dc) {
  const ncclCoopCta cta;
  const ncclGin gin(dc, 0);
  const Topology t(dc);
  const uint64_t base = gin.readSignal(0);
  ncclBarrierSession<ncclCoopCta> bar(cta, ncclTeamTagWorld(), gin, 0);
  bar.sync(cta, cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
  for (int k = 0; k < kRounds; ++k) {
    ((int*)ncclGetLocalPointer(job.source, 0))[threadIdx.x] = (t.world.rank + 1) * (job.first + k) + threadIdx.x;
    __syncthreads();
    push_row(gin, t, job);
    gin.waitSignal(cta, 0, base + (uint64_t)(k + 1) * t.far_ranks());
    bar.lsaBarrier().sync(cta, cuda::memory_order_acq_rel);
    int sum = 0;
    for (int r = 0; r < t.world.nRanks; ++r) sum += ((const int*)ncclGetLocalPointer(job.rows, 0))[r * kRow + threadIdx.x];
    job.sums[k * kRow + threadIdx.x] = sum;
    gin.flush(cta);
    bar.sync(cta, cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
  }
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, n = 0, devices = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &n);
  const std::function<void(int, const char*)> ok = [&](int status, const char* what) {
    if (status != 0) std::fprintf(stderr, "rank %d: %s: %d\n", rank, what, status), MPI_Abort(MPI_COMM_WORLD, status);
  };
  ok(cudaGetDeviceCount(&devices), "devices");
  ok(cudaSetDevice(rank % devices), "device");
  ncclUniqueId id;
  if (rank == 0) ok(ncclGetUniqueId(&id), "id");
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  ok(ncclCommInitRank(&comm, n, id, rank), "comm");

  Job job{};
  void *rows, *source;
  ok(ncclMemAlloc(&rows, n * kRow * sizeof(int)), "rows");
  ok(ncclMemAlloc(&source, kRow * sizeof(int)), "source");
  ok(ncclCommWindowRegister(comm, rows, n * kRow * sizeof(int), &job.rows, NCCL_WIN_COLL_SYMMETRIC), "rows window");
  ok(ncclCommWindowRegister(comm, source, kRow * sizeof(int), &job.source, NCCL_WIN_COLL_SYMMETRIC), "source window");
  ok(cudaMalloc(&job.sums, kRounds * kRow * sizeof(int)), "sums");
  ncclDevCommRequirements reqs{};
  reqs.barrierCount = 1;
  reqs.ginSignalCount = 1;
  ncclDevComm dc{};
  ok(ncclDevCommCreate(comm, &reqs, &dc), "devcomm");

  int wrong = 0;
  std::vector<int> got(kRounds * kRow);
  for (int launch = 0; launch < kLaunches; ++launch) {
    job.first = launch * kRounds;
    gather_and_add<<<1, kRow>>>(job, dc);
    ok(cudaGetLastError(), "launch");
    ok(cudaDeviceSynchronize(), "kernel");
    ok(cudaMemcpy(got.data(), job.sums, got.size() * sizeof(int), cudaMemcpyDeviceToHost), "copy");
    for (int k = 0; k < kRounds; ++k)
      for (int i = 0; i < kRow; ++i) wrong += got[k * kRow + i] != n * (n + 1) / 2 * (job.first + k) + n * i;
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) std::puts(wrong ? "FAIL" : "PASS");
  ok(ncclDevCommDestroy(comm, &dc), "destroy devcomm");
  ok(ncclCommWindowDeregister(comm, job.rows), "deregister");
  ok(ncclCommWindowDeregister(comm, job.source), "deregister");
  ok(ncclMemFree(rows), "free");
  ok(ncclMemFree(source), "free");
  ok(cudaFree(job.sums), "free");
  ok(ncclCommDestroy(comm), "destroy comm");
  MPI_Finalize();
  return wrong != 0;
}
