// expect: signal-wrong-id
// twin: gin_halo_two_contexts.cu
// mistake: both waits use context 0, whose signal says nothing about traffic on context 1
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <algorithm>
#include <cstdio>
#include <vector>

namespace cfg {
constexpr int cells = 32, steps = 4, launches = 3;
constexpr size_t pitch = (cells + 2) * sizeof(float);
}  // namespace cfg

struct Side {
  int context, peer;
  size_t edge, halo;  // byte offsets: my edge cell, the peer's halo it goes to
};

__device__ void send_edge(const ncclDevComm& dc, ncclWindow_t field, const Side& side, size_t copy) {
  ncclGin gin(dc, side.context);
  gin.put(ncclTeamWorld(dc), side.peer, field, copy + side.halo, field, copy + side.edge, sizeof(float), ncclGin_SignalInc{0});
}

__global__ void diffuse(ncclWindow_t field, int launch, ncclDevComm dc) {
  const ncclTeam world = ncclTeamWorld(dc);
  const Side sides[2] = {
      {0, (world.rank + world.nRanks - 1) % world.nRanks, 1 * sizeof(float), (cfg::cells + 1) * sizeof(float)},
      {1, (world.rank + 1) % world.nRanks, cfg::cells * sizeof(float), 0}};
  const int i = threadIdx.x + 1;
  for (int step = 0; step < cfg::steps; ++step) {
    const size_t from = (step % 2) * cfg::pitch, to = cfg::pitch - from;
    if (threadIdx.x < 2) send_edge(dc, field, sides[threadIdx.x], from);
    for (int context = 0; context < 2; ++context)
      ncclGin(dc, 0).waitSignal(ncclCoopCta(), 0, launch * cfg::steps + step + 1);  // DEFECT
    const float* old = (const float*)ncclGetLocalPointer(field, from);
    ((float*)ncclGetLocalPointer(field, to))[i] = old[i - 1] + 2 * old[i] + old[i + 1];
    for (int context = 0; context < 2; ++context) ncclGin(dc, context).flush(ncclCoopCta());
  }
}

static void check(bool ok, const char* what) {
  if (ok) return;
  fprintf(stderr, "%s failed\n", what);
  MPI_Abort(MPI_COMM_WORLD, 1);
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, size, devices;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  check(cudaGetDeviceCount(&devices) == cudaSuccess && cudaSetDevice(rank % devices) == cudaSuccess, "device");
  ncclUniqueId id;
  if (rank == 0) check(ncclGetUniqueId(&id) == ncclSuccess, "ncclGetUniqueId");
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  check(ncclCommInitRank(&comm, size, id, rank) == ncclSuccess, "ncclCommInitRank");

  float* memory;
  ncclWindow_t field = nullptr;
  check(ncclMemAlloc((void**)&memory, 2 * cfg::pitch) == ncclSuccess, "ncclMemAlloc");
  check(ncclCommWindowRegister(comm, memory, 2 * cfg::pitch, &field, NCCL_WIN_COLL_SYMMETRIC) == ncclSuccess, "register");
  ncclDevCommRequirements reqs{};
  reqs.ginSignalCount = 1;
  ncclDevComm dc;
  check(ncclDevCommCreate(comm, &reqs, &dc) == ncclSuccess, "ncclDevCommCreate");

  const int total = size * cfg::cells;
  int wrong = 0;
  for (int launch = 0; launch < cfg::launches; ++launch) {
    std::vector<float> now(total), next(total), got(cfg::cells);
    for (int c = 0; c < total; ++c) now[c] = (c * 7 + launch) % 16;
    const float* mine = now.data() + rank * cfg::cells;
    check(cudaMemcpy(memory + 1, mine, cfg::cells * sizeof(float), cudaMemcpyHostToDevice) == cudaSuccess, "copy in");
    diffuse<<<1, cfg::cells>>>(field, launch, dc);
    check(cudaGetLastError() == cudaSuccess && cudaDeviceSynchronize() == cudaSuccess, "diffuse");
    check(cudaMemcpy(got.data(), memory + 1, got.size() * sizeof(float), cudaMemcpyDeviceToHost) == cudaSuccess, "copy out");
    for (int step = 0; step < cfg::steps; ++step) {
      for (int c = 0; c < total; ++c) next[c] = now[(c + total - 1) % total] + 2 * now[c] + now[(c + 1) % total];
      std::swap(now, next);
    }
    for (int c = 0; c < cfg::cells; ++c) wrong += got[c] != now[rank * cfg::cells + c];
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s\n", wrong ? "FAIL" : "PASS");
  check(ncclDevCommDestroy(comm, &dc) == ncclSuccess, "ncclDevCommDestroy");
  check(ncclCommWindowDeregister(comm, field) == ncclSuccess, "deregister");
  check(ncclMemFree(memory) == ncclSuccess && ncclCommDestroy(comm) == ncclSuccess, "cleanup");
  MPI_Finalize();
  return wrong ? 1 : 0;
}
