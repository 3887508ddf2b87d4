// expect: sound
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// 1-D Jacobi on a ring of ranks, all steps in one launch. Two copies of the field: step s reads copy s&1 (own cells
// and the edge cells of both neighbours) and writes copy 1-(s&1) of its own. One acq_rel barrier per step both
// publishes the new copy and proves that the neighbours are done reading the copy that the next step overwrites.
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

void ok(cudaError_t e) {
  if (e != cudaSuccess) throw std::runtime_error(std::string("cuda: ") + cudaGetErrorString(e));
}
void ok(ncclResult_t e) {
  if (e != ncclSuccess) throw std::runtime_error(std::string("nccl: ") + ncclGetErrorString(e));
}

constexpr int kCells = 64;
constexpr int kSteps = 6;

struct Field {
  ncclWindow_t win;
  __device__ double* cells(int copy, int peer) const {
    return (double*)ncclGetLsaPointer(win, copy * kCells * sizeof(double), peer);
  }
};

__global__ void jacobi(Field field, ncclDevComm dc) {
  ncclCoopCta cta{};
  const ncclTeam team = ncclTeamLsa(dc);
  const int left = (team.rank + team.nRanks - 1) % team.nRanks;
  const int right = (team.rank + 1) % team.nRanks;
  const int i = threadIdx.x;
  ncclLsaBarrierSession<ncclCoopCta> bar{cta, dc, ncclTeamTagLsa(), 0u};
  bar.sync(cta, cuda::memory_order_acq_rel);
  for (int step = 0; step < kSteps; ++step) {
    const int from = step & 1, to = 1 - from;
    const double* old = field.cells(from, team.rank);
    const double below = i > 0 ? old[i - 1] : field.cells(from, left)[kCells - 1];
    const double above = i < kCells - 1 ? old[i + 1] : field.cells(from, right)[0];
    field.cells(to, team.rank)[i] = 0.25 * below + 0.5 * old[i] + 0.25 * above;
    bar.sync(cta, cuda::memory_order_acq_rel);
  }
}

double initial(int cell, int launch) { return (cell * 13 + launch * 5) % 64; }

int simulate(ncclComm_t comm, int rank, int nranks) {
  double* memory = nullptr;
  ncclWindow_t win = nullptr;
  const size_t bytes = 2 * kCells * sizeof(double);
  ok(ncclMemAlloc((void**)&memory, bytes));
  ok(ncclCommWindowRegister(comm, memory, bytes, &win, NCCL_WIN_COLL_SYMMETRIC));
  ncclDevCommRequirements reqs{};
  reqs.lsaBarrierCount = 1;
  ncclDevComm dc{};
  ok(ncclDevCommCreate(comm, &reqs, &dc));

  int wrong = 0;
  const int total = nranks * kCells;
  for (int launch = 0; launch < 3; ++launch) {
    std::vector<double> now(total), next(total), got(kCells);
    for (int c = 0; c < total; ++c) now[c] = initial(c, launch);
    ok(cudaMemcpy(memory, now.data() + rank * kCells, kCells * sizeof(double), cudaMemcpyHostToDevice));
    jacobi<<<1, kCells>>>(Field{win}, dc);
    ok(cudaGetLastError());
    ok(cudaDeviceSynchronize());
    ok(cudaMemcpy(got.data(), memory + (kSteps & 1) * kCells, kCells * sizeof(double), cudaMemcpyDeviceToHost));
    for (int step = 0; step < kSteps; ++step) {
      for (int c = 0; c < total; ++c)
        next[c] = 0.25 * now[(c + total - 1) % total] + 0.5 * now[c] + 0.25 * now[(c + 1) % total];
      now.swap(next);
    }
    for (int c = 0; c < kCells; ++c) wrong += std::fabs(got[c] - now[rank * kCells + c]) > 1e-9;
  }
  MPI_Barrier(MPI_COMM_WORLD);
  ok(ncclDevCommDestroy(comm, &dc));
  ok(ncclCommWindowDeregister(comm, win));
  ok(ncclMemFree(memory));
  return wrong;
}

}  // namespace

int main(int argc, char** argv) try {
  MPI_Init(&argc, &argv);
  int rank, nranks;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  const char* local = std::getenv("OMPI_COMM_WORLD_LOCAL_RANK");
  ok(cudaSetDevice(local ? std::atoi(local) : rank));
  ncclUniqueId id;
  if (rank == 0) ok(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  ok(ncclCommInitRank(&comm, nranks, id, rank));
  int wrong = simulate(comm, rank, nranks), all = 0;
  MPI_Allreduce(&wrong, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) std::cout << (all == 0 ? "PASS" : "FAIL") << std::endl;
  ok(ncclCommDestroy(comm));
  MPI_Finalize();
  return all == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (const std::exception& e) {
  std::cerr << e.what() << std::endl;
  MPI_Abort(MPI_COMM_WORLD, 4);
  return 4;
}
