// expect: barrier-shared-index
// twin: lsa_reduce_scatter_warps.cu
// mistake: the slot is the warp's number inside its block, so warps of different blocks share it
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <functional>
#include <type_traits>
#include <vector>

template <class Status>
void check(Status s, int line) {
  if (static_cast<int>(s) == 0) return;
  std::fprintf(stderr, "call in line %d returned %d\n", line, static_cast<int>(s));
  MPI_Abort(MPI_COMM_WORLD, 9);
}
#define CHECK(x) check((x), __LINE__)

constexpr int kWarps = 2, kBlocks = 2, kStripes = kWarps * kBlocks, kLane = 32, kRounds = 3;

/// What rank `rank` contributes to element `lane` of stripe `stripe` of rank `owner`.
__host__ __device__ inline int contribution(int rank, int owner, int stripe, int lane, int round) {
  return rank * 3 + owner * 100 + stripe * 1000 + lane + round * 7;
}

template <int Rounds>
__global__ void reduce_scatter(ncclWindow_t win, int* sums, int base, ncclDevComm dc) {
  ncclCoopWarp warp;
  const int stripe = blockIdx.x * kWarps + threadIdx.x / 32, lane = threadIdx.x % 32;
  const ncclTeam team = ncclTeamLsa(dc);
  ncclLsaBarrierSession<ncclCoopWarp> bar(warp, dc, ncclTeamTagLsa(), threadIdx.x / 32);  // DEFECT
  auto at = [&](int peer, int owner) {
    return (int*)ncclGetLsaPointer(win, ((size_t)owner * kStripes + stripe) * kLane * sizeof(int), peer);
  };
  for (int round = 0; round < Rounds; ++round) {
    for (int owner = 0; owner < team.nRanks; ++owner)
      at(team.rank, owner)[lane] = contribution(team.rank, owner, stripe, lane, base + round);
    bar.sync(warp, cuda::memory_order_acq_rel);
    int sum = 0;
    for (int p = 0; p < team.nRanks; ++p) sum += at(p, team.rank)[lane];
    sums[(round * kStripes + stripe) * kLane + lane] = sum;
    bar.sync(warp, cuda::memory_order_acq_rel);
  }
}

class Session {
 public:
  Session(int* argc, char*** argv) {
    MPI_Init(argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int devices = 1;
    CHECK(cudaGetDeviceCount(&devices));
    CHECK(cudaSetDevice(rank % devices));
    ncclUniqueId id;
    if (rank == 0) CHECK(ncclGetUniqueId(&id));
    MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
    CHECK(ncclCommInitRank(&comm, size, id, rank));
  }
  ~Session() {
    MPI_Barrier(MPI_COMM_WORLD);
    for (auto step = cleanup.rbegin(); step != cleanup.rend(); ++step) (*step)();
    CHECK(ncclCommDestroy(comm));
    MPI_Finalize();
  }
  int rank = 0, size = 1;
  ncclComm_t comm = nullptr;
  std::vector<std::function<void()>> cleanup;
};

static int body(Session& s) {
  const size_t bytes = size_t(s.size) * kStripes * kLane * sizeof(int);
  void* staged = nullptr;
  ncclWindow_t win = nullptr;
  CHECK(ncclMemAlloc(&staged, bytes));
  s.cleanup.push_back([=] { CHECK(ncclMemFree(staged)); });
  CHECK(ncclCommWindowRegister(s.comm, staged, bytes, &win, NCCL_WIN_COLL_SYMMETRIC));
  s.cleanup.push_back([=, &s] { CHECK(ncclCommWindowDeregister(s.comm, win)); });
  int* sums = nullptr;
  std::vector<int> host(kRounds * kStripes * kLane);
  CHECK(cudaMalloc(&sums, host.size() * sizeof(int)));
  s.cleanup.push_back([=] { CHECK(cudaFree(sums)); });
  ncclDevCommRequirements reqs{};
  reqs.lsaBarrierCount = kStripes;
  ncclDevComm dc{};
  CHECK(ncclDevCommCreate(s.comm, &reqs, &dc));
  s.cleanup.push_back([=, &s] { CHECK(ncclDevCommDestroy(s.comm, &dc)); });

  int wrong = 0;
  for (int launch = 0; launch < 3; ++launch) {
    reduce_scatter<kRounds><<<kBlocks, kWarps * 32>>>(win, sums, launch * kRounds, dc);
    CHECK(cudaGetLastError());
    CHECK(cudaMemcpy(host.data(), sums, host.size() * sizeof(int), cudaMemcpyDeviceToHost));
    for (size_t i = 0; i < host.size(); ++i) {
      const int round = i / (kStripes * kLane), stripe = i / kLane % kStripes, lane = i % kLane;
      int want = 0;
      for (int r = 0; r < s.size; ++r) want += contribution(r, s.rank, stripe, lane, launch * kRounds + round);
      wrong += host[i] != want;
    }
  }
  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  return wrong;
}

int main(int argc, char** argv) {
  Session session(&argc, &argv);
  const int wrong = body(session);
  if (session.rank == 0) std::puts(wrong ? "FAIL" : "PASS");
  return wrong != 0;
}
