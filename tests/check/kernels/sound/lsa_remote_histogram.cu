// expect: sound
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Distributed histogram: bins are spread over the ranks, every rank adds to remote bins with system-scope atomics.
// Barrier 1 (acq_rel): all owners have cleared their bins before anybody adds. Barrier 2 (acq_rel): all adds were
// made before the owner copies its bins out. One block per rank, so one barrier slot orders everything.
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <cstring>
#include <vector>

#define BINS_PER_RANK 16
#define SAMPLES 200

static ncclComm_t g_comm;
static ncclDevComm g_dev;
static ncclWindow_t g_bins_win;
static unsigned *g_bins, *g_result, *g_samples;
static int g_rank, g_size;

static void fail(int line) {
  fprintf(stderr, "rank %d: error in line %d\n", g_rank, line);
  MPI_Abort(MPI_COMM_WORLD, 5);
}
#define OK(x) \
  if ((x) != 0) fail(__LINE__)

__global__ void histogram(ncclWindow_t bins, const unsigned* samples, unsigned* result, ncclDevComm dc) {
  ncclLsaBarrierSession<ncclCoopCta> bar(ncclCoopCta(), dc, ncclTeamTagLsa(), 0);
  unsigned* own = (unsigned*)ncclGetLocalPointer(bins, 0);
  if (threadIdx.x < BINS_PER_RANK) own[threadIdx.x] = 0;
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);

  for (int i = threadIdx.x; i < SAMPLES; i += blockDim.x) {
    unsigned bin = samples[i];
    unsigned* owner = (unsigned*)ncclGetLsaPointer(bins, 0, bin / BINS_PER_RANK);
    atomicAdd_system(&owner[bin % BINS_PER_RANK], 1u);
  }
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);

  if (threadIdx.x < BINS_PER_RANK) result[threadIdx.x] = own[threadIdx.x];
}

static unsigned sample(int rank, int launch, int i) {
  return (unsigned)((rank * 31 + launch * 17 + i * i) % (BINS_PER_RANK * g_size));
}

static void setup() {
  int devices = 0;
  OK(cudaGetDeviceCount(&devices));
  OK(cudaSetDevice(g_rank % devices));
  ncclUniqueId id;
  if (g_rank == 0) OK(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  OK(ncclCommInitRank(&g_comm, g_size, id, g_rank));
  OK(ncclMemAlloc((void**)&g_bins, BINS_PER_RANK * sizeof(unsigned)));
  OK(ncclCommWindowRegister(g_comm, g_bins, BINS_PER_RANK * sizeof(unsigned), &g_bins_win, NCCL_WIN_COLL_SYMMETRIC));
  OK(cudaMalloc((void**)&g_result, BINS_PER_RANK * sizeof(unsigned)));
  OK(cudaMalloc((void**)&g_samples, SAMPLES * sizeof(unsigned)));
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof(reqs));
  reqs.lsaBarrierCount = 1;
  OK(ncclDevCommCreate(g_comm, &reqs, &g_dev));
}

static int run_once(int launch) {
  std::vector<unsigned> samples(SAMPLES), got(BINS_PER_RANK), want(BINS_PER_RANK * g_size, 0u);
  for (int i = 0; i < SAMPLES; i++) samples[i] = sample(g_rank, launch, i);
  OK(cudaMemcpy(g_samples, samples.data(), SAMPLES * sizeof(unsigned), cudaMemcpyHostToDevice));
  histogram<<<1, 64>>>(g_bins_win, g_samples, g_result, g_dev);
  OK(cudaGetLastError());
  OK(cudaDeviceSynchronize());
  OK(cudaMemcpy(got.data(), g_result, BINS_PER_RANK * sizeof(unsigned), cudaMemcpyDeviceToHost));
  for (int r = 0; r < g_size; r++)
    for (int i = 0; i < SAMPLES; i++) want[sample(r, launch, i)]++;
  int bad = 0;
  for (int b = 0; b < BINS_PER_RANK; b++) bad += got[b] != want[g_rank * BINS_PER_RANK + b];
  return bad;
}

static void teardown() {
  MPI_Barrier(MPI_COMM_WORLD);
  OK(ncclDevCommDestroy(g_comm, &g_dev));
  OK(ncclCommWindowDeregister(g_comm, g_bins_win));
  OK(ncclMemFree(g_bins));
  OK(cudaFree(g_result));
  OK(cudaFree(g_samples));
  OK(ncclCommDestroy(g_comm));
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &g_rank);
  MPI_Comm_size(MPI_COMM_WORLD, &g_size);
  setup();
  int bad = 0;
  for (int launch = 0; launch < 4; launch++) bad += run_once(launch);
  MPI_Allreduce(MPI_IN_PLACE, &bad, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (g_rank == 0) printf("%s\n", bad == 0 ? "PASS" : "FAIL");
  teardown();
  MPI_Finalize();
  return bad == 0 ? 0 : 1;
}
