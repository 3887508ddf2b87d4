// expect: flush-is-not-delivery
// also: unawaited-data
// twin: gin_signal_reset.cu
// mistake: puts carry no signal any more; flush, the closing barrier and a host barrier are trusted for delivery
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

using std::size_t;

static int world_rank, world_size;
template <typename R>
static void must(R r) {
  if (r != R(0)) {
    std::fprintf(stderr, "[%d] call failed (%d)\n", world_rank, int(r));
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}

constexpr unsigned kLanes = 2;        // blocks
constexpr unsigned kPayload = 20;     // ints per lane and source

__global__ void gather(ncclWindow_t outbox, ncclWindow_t inbox, ncclDevComm dc) {
  const unsigned lane = blockIdx.x;
  ncclGin gin(dc, 0);
  const ncclTeam world = ncclTeamWorld(dc);
  ncclBarrierSession<ncclCoopCta> bar(ncclCoopCta(), ncclTeamTagWorld(), gin, lane);
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);

  const size_t bytes = kPayload * sizeof(int);
  if (threadIdx.x == 0)
    for (int p = 0; p < world.nRanks; ++p)
      gin.put(world, p, inbox, (lane * world.nRanks + world.rank) * bytes, outbox, lane * bytes, bytes);
  gin.flush(ncclCoopCta());  // DEFECT
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
}

struct Buffer {
  int* data = nullptr;
  ncclWindow_t window = nullptr;
  void create(ncclComm_t comm, size_t count) {
    must(ncclMemAlloc(reinterpret_cast<void**>(&data), count * sizeof(int)));
    must(ncclCommWindowRegister(comm, data, count * sizeof(int), &window, NCCL_WIN_COLL_SYMMETRIC));
  }
  void destroy(ncclComm_t comm) {
    must(ncclCommWindowDeregister(comm, window));
    must(ncclMemFree(data));
  }
};

static int payload(int rank, int lane, int i, int launch) { return launch * 10000 + rank * 1000 + lane * 100 + i; }

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &world_rank);
  MPI_Comm_size(MPI_COMM_WORLD, &world_size);
  int devices = 0;
  must(cudaGetDeviceCount(&devices));
  must(cudaSetDevice(world_rank % devices));
  ncclUniqueId id;
  if (world_rank == 0) must(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  must(ncclCommInitRank(&comm, world_size, id, world_rank));

  Buffer outbox, inbox;
  outbox.create(comm, kLanes * kPayload);
  inbox.create(comm, kLanes * world_size * kPayload);
  ncclDevCommRequirements reqs{};
  reqs.barrierCount = kLanes;
  reqs.ginSignalCount = kLanes;
  ncclDevComm dc;
  must(ncclDevCommCreate(comm, &reqs, &dc));
  cudaStream_t stream;
  must(cudaStreamCreate(&stream));

  int wrong = 0;
  std::vector<int> out(kLanes * kPayload), in(kLanes * world_size * kPayload);
  for (int launch = 0; launch < 4; ++launch) {
    for (unsigned k = 0; k < out.size(); ++k) out[k] = payload(world_rank, k / kPayload, k % kPayload, launch);
    must(cudaMemcpyAsync(outbox.data, out.data(), out.size() * sizeof(int), cudaMemcpyHostToDevice, stream));
    gather<<<kLanes, 32, 0, stream>>>(outbox.window, inbox.window, dc);
    must(cudaGetLastError());
    must(cudaStreamSynchronize(stream));
    MPI_Barrier(MPI_COMM_WORLD);
    must(cudaMemcpyAsync(in.data(), inbox.data, in.size() * sizeof(int), cudaMemcpyDeviceToHost, stream));
    must(cudaStreamSynchronize(stream));
    for (unsigned k = 0; k < in.size(); ++k) {
      const int lane = k / (world_size * kPayload), source = k / kPayload % world_size;
      wrong += in[k] != payload(source, lane, k % kPayload, launch);
    }
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (world_rank == 0) std::printf("%s\n", wrong ? "FAIL" : "PASS");
  must(cudaStreamDestroy(stream));
  must(ncclDevCommDestroy(comm, &dc));
  outbox.destroy(comm);
  inbox.destroy(comm);
  must(ncclCommDestroy(comm));
  MPI_Finalize();
  return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
