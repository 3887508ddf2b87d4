// expect: peer-outside-team
// twin: gin_ring_allgather.cu
// mistake: the right neighbour of the last rank is not wrapped around
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <string>
#include <vector>

struct Error {
  std::string what;
};
static void check(cudaError_t e, const char* where) {
  if (e != cudaSuccess) throw Error{std::string(where) + ": " + cudaGetErrorString(e)};
}
static void check(ncclResult_t e, const char* where) {
  if (e != ncclSuccess) throw Error{std::string(where) + ": " + ncclGetErrorString(e)};
}

constexpr size_t kSlotBytes = 256;
constexpr ncclGinSignal_t kArrived = 0;

__global__ void ring_allgather(ncclWindow_t win, ncclDevComm dc) {
  const ncclTeam world = ncclTeamWorld(dc);
  const int right = world.rank + 1;  // DEFECT
  ncclGin gin(dc, 0);
  const uint64_t base = gin.readSignal(kArrived);
  ncclBarrierSession<ncclCoopCta> bar(ncclCoopCta(), ncclTeamTagWorld(), gin, 0);
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
  for (int step = 0; step < world.nRanks - 1; ++step) {
    const size_t slot = (world.rank + world.nRanks - step) % world.nRanks * kSlotBytes;
    if (threadIdx.x == 0) gin.put(world, right, win, slot, win, slot, kSlotBytes, ncclGin_SignalInc{kArrived});
    gin.waitSignal(ncclCoopCta(), kArrived, base + step + 1);
  }
  gin.flush(ncclCoopCta());
}

// Adds up all slots, as a user of the gathered data would.
__global__ void consume(const int* gathered, int nranks, int* sums) {
  int sum = 0;
  for (int r = 0; r < nranks; ++r) sum += gathered[r * (kSlotBytes / sizeof(int)) + threadIdx.x];
  sums[threadIdx.x] = sum;
}

class Gather {
 public:
  Gather(int rank, int nranks) : rank_(rank), nranks_(nranks) {
    ncclUniqueId id;
    if (rank == 0) check(ncclGetUniqueId(&id), "ncclGetUniqueId");
    MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
    check(ncclCommInitRank(&comm_, nranks, id, rank), "ncclCommInitRank");
    check(ncclMemAlloc((void**)&memory_, nranks * kSlotBytes), "ncclMemAlloc");
    check(ncclCommWindowRegister(comm_, memory_, nranks * kSlotBytes, &win_, NCCL_WIN_COLL_SYMMETRIC), "register");
    check(cudaMalloc(&sums_, kSlotBytes), "cudaMalloc");
    check(cudaStreamCreate(&stream_), "cudaStreamCreate");
    ncclDevCommRequirements reqs{};
    reqs.barrierCount = 1;
    reqs.ginSignalCount = 1;
    check(ncclDevCommCreate(comm_, &reqs, &dc_), "ncclDevCommCreate");
  }
  int iterate(int it) {
    const int n = kSlotBytes / sizeof(int);
    std::vector<int> host(n);
    for (int i = 0; i < n; ++i) host[i] = it * 10000 + rank_ * 100 + i;
    check(cudaMemcpyAsync(memory_ + rank_ * n, host.data(), kSlotBytes, cudaMemcpyHostToDevice, stream_), "copy in");
    ring_allgather<<<1, 32, 0, stream_>>>(win_, dc_);
    check(cudaGetLastError(), "ring_allgather");
    consume<<<1, n, 0, stream_>>>(memory_, nranks_, sums_);
    check(cudaGetLastError(), "consume");
    check(cudaMemcpyAsync(host.data(), sums_, kSlotBytes, cudaMemcpyDeviceToHost, stream_), "copy out");
    check(cudaStreamSynchronize(stream_), "synchronize");
    int wrong = 0;
    for (int i = 0; i < n; ++i) wrong += host[i] != nranks_ * (it * 10000 + i) + 100 * (nranks_ * (nranks_ - 1) / 2);
    return wrong;
  }
  void close() {
    MPI_Barrier(MPI_COMM_WORLD);
    check(ncclDevCommDestroy(comm_, &dc_), "ncclDevCommDestroy");
    check(ncclCommWindowDeregister(comm_, win_), "deregister");
    check(ncclMemFree(memory_), "ncclMemFree");
    check(cudaFree(sums_), "cudaFree");
    check(cudaStreamDestroy(stream_), "cudaStreamDestroy");
    check(ncclCommDestroy(comm_), "ncclCommDestroy");
  }

 private:
  int rank_, nranks_;
  int *memory_ = nullptr, *sums_ = nullptr;
  ncclComm_t comm_ = nullptr;
  ncclWindow_t win_ = nullptr;
  ncclDevComm dc_{};
  cudaStream_t stream_ = nullptr;
};

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, nranks, devices, wrong = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  try {
    check(cudaGetDeviceCount(&devices), "cudaGetDeviceCount");
    check(cudaSetDevice(rank % devices), "cudaSetDevice");
    Gather gather(rank, nranks);
    for (int it = 0; it < 4; ++it) wrong += gather.iterate(it);
    gather.close();
  } catch (const Error& e) {
    fprintf(stderr, "rank %d: %s\n", rank, e.what.c_str());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s\n", wrong ? "FAIL" : "PASS");
  MPI_Finalize();
  return wrong ? 1 : 0;
}
