// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// PTALLY - Monte Carlo particle tallies. Root spreads the material table, every rank transports its own
// particles, the tallies are summed and the per-rank escape records are collected everywhere.
// Everything that touches the network goes through the macros below (port of a message-passing code).

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <mpi.h>
#include <cuda_runtime.h>
#include <nccl.h>

/* ---------------------------------------------------------------- plumbing */
static int          MYPE, NPES;
static ncclComm_t   g_comm;
static cudaStream_t g_strm;

#define BAIL(kind, txt)                                         \
  (fprintf(stderr, "PTALLY(%d): %s failed at line %d: %s\n",    \
           MYPE, kind, __LINE__, txt),                          \
   MPI_Abort(MPI_COMM_WORLD, 9))

#define GPU(x)                                                  \
  {                                                             \
    cudaError_t gpu_rc = x;                                     \
    if (gpu_rc) BAIL("GPU", cudaGetErrorString(gpu_rc));        \
  }

#define CK(x)                                                   \
  {                                                             \
    ncclResult_t ck_rc = x;                                     \
    if (ck_rc) BAIL("NCCL", ncclGetErrorString(ck_rc));         \
  }

/* ------------------------------------------------------------- collectives */
#define REAL      double
#define NC_REAL   ncclDouble
#define ALLSUM(buf, n) CK(ncclAllReduce((buf), (buf), (n), NC_REAL, ncclSum, g_comm, g_strm))
#define ALLTOP(src, dst, n) \
  CK(ncclAllReduce((src), (dst), (n), ncclInt, ncclMax, g_comm, g_strm))
#define SPREAD(buf, n, pe)                                      \
  CK(ncclBroadcast((const void *)(buf), (void *)(buf), (n),     \
                   NC_REAL, (pe), g_comm, g_strm))
#define COLLECT(mine, all, n)                                   \
  CK(ncclAllGather((mine), (all), (n),                          \
                   NC_REAL, g_comm, g_strm))

#define CEIL_DIV(a, b) (((a) + (b) - 1) / (b))
#define GO(kern, n, ...) kern<<<CEIL_DIV(n, 128), 128, 0, g_strm>>>(__VA_ARGS__)
#define GRAB(var, type, n)                                      \
  type *var;                                                    \
  GPU(cudaMalloc((void **)&var, (n) * sizeof(type)))            \
  GPU(cudaMemset(var, 0xff, (n) * sizeof(type)))
#define FETCH(dst, src, n, type) GPU(cudaMemcpy((dst), (src), (n) * sizeof(type), cudaMemcpyDeviceToHost))
#define ROOTPE 0
#define IAMROOT if (MYPE == ROOTPE)

/* ------------------------------------------------------------------ physics */
#define NMAT  96   /* materials      */
#define NCELL 700  /* mesh cells     */
#define NESC  33   /* escape records */

__host__ __device__ inline unsigned scramble(unsigned a, unsigned b, unsigned c)
{
  unsigned h = a * 0x85ebca6bu + b * 0xc2b2ae35u + c * 0x27d4eb2fu + 0x165667b1u;
  h = (h ^ (h >> 13)) * 0x85ebca6bu;
  h = (h ^ (h >> 16)) * 0xc2b2ae35u;
  return h ^ (h >> 15);
}
#define XSEC(m, t)       ((REAL)(1 + scramble(m, 71u, t) % 50))
#define PARTICLE(i, p, t) scramble(i, 1000u + (p), t)

__global__ void set_table(REAL *xs, int t)
{
  int m = blockIdx.x * blockDim.x + threadIdx.x;
  if (m < NMAT) xs[m] = XSEC(m, t);
}

/* energies are whole units, so tallies are whole numbers and sums are exact */
__global__ void transport(const REAL *xs, REAL *tally, int npart, int pe, int t)
{
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= npart) return;
  unsigned h = PARTICLE(i, pe, t);
  atomicAdd(&tally[h % NCELL], xs[(h >> 12) % NMAT]);
}

__global__ void escapes(const REAL *xs, REAL *esc, int *worst, int pe, int t)
{
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= NESC) return;
  unsigned h = PARTICLE(i, pe + 5000, t);
  esc[i] = xs[h % NMAT] * 4.0 + pe;
  atomicMax(worst, (int)(h >> 8));
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &MYPE);
  MPI_Comm_size(MPI_COMM_WORLD, &NPES);
  int npart = argc > 1 ? atoi(argv[1]) : 3000;
  int ndev, bad = 0;
  GPU(cudaGetDeviceCount(&ndev));
  GPU(cudaSetDevice(MYPE % ndev));
  ncclUniqueId uid;
  IAMROOT CK(ncclGetUniqueId(&uid));
  MPI_Bcast(&uid, sizeof uid, MPI_CHAR, ROOTPE, MPI_COMM_WORLD);
  CK(ncclCommInitRank(&g_comm, NPES, uid, MYPE));
  GPU(cudaStreamCreate(&g_strm));

  GRAB(d_xs, REAL, NMAT)
  GRAB(d_tally, REAL, NCELL)
  GRAB(d_esc, REAL, NESC)
  GRAB(d_escall, REAL, NESC * NPES)
  GRAB(d_worst, int, 1)
  GRAB(d_top, int, 1)
  REAL *tally = (REAL *)malloc(NCELL * sizeof(REAL));
  REAL *escall = (REAL *)malloc(NPES * NESC * sizeof(REAL));
  REAL *want = (REAL *)malloc(NCELL * sizeof(REAL));

  double clock = 0.0;
  for (int t = 0; t < 2; t++) {
    IAMROOT GO(set_table, NMAT, d_xs, t);
    GPU(cudaMemsetAsync(d_tally, 0, NCELL * sizeof(REAL), g_strm));
    GPU(cudaMemsetAsync(d_worst, 0, sizeof(int), g_strm));
    GPU(cudaStreamSynchronize(g_strm));
    MPI_Barrier(MPI_COMM_WORLD);
    double wt = MPI_Wtime();

    SPREAD(d_xs, NMAT, ROOTPE);
    GO(transport, npart, d_xs, d_tally, npart, MYPE, t);
    GO(escapes, NESC, d_xs, d_esc, d_worst, MYPE, t);
    ALLSUM(d_tally, NCELL);
    COLLECT(d_esc, d_escall, NESC);
    ALLTOP(d_worst, d_top, 1);

    GPU(cudaStreamSynchronize(g_strm));
    clock += MPI_Wtime() - wt;

    int top, wanttop = 0;
    FETCH(tally, d_tally, NCELL, REAL);
    FETCH(escall, d_escall, NESC * NPES, REAL);
    FETCH(&top, d_top, 1, int);
    memset(want, 0, NCELL * sizeof(REAL));
    for (int p = 0; p < NPES; p++) {
      for (int i = 0; i < npart; i++) {
        unsigned h = PARTICLE(i, p, t);
        want[h % NCELL] += XSEC((h >> 12) % NMAT, t);
      }
      for (int i = 0; i < NESC; i++) {
        unsigned h = PARTICLE(i, p + 5000, t);
        if (escall[p * NESC + i] != XSEC(h % NMAT, t) * 4.0 + p) bad++;
        if ((int)(h >> 8) > wanttop) wanttop = (int)(h >> 8);
      }
    }
    for (int c = 0; c < NCELL; c++)
      if (tally[c] != want[c]) bad++;
    if (top != wanttop) bad++;
  }
  printf("Time: %f ms\n", clock / 2 * 1e3);
  printf("Verification: %s\n", bad ? "FAIL" : "PASS");

  free(tally); free(escall); free(want);
  GPU(cudaFree(d_xs));  GPU(cudaFree(d_tally)); GPU(cudaFree(d_esc));
  GPU(cudaFree(d_escall)); GPU(cudaFree(d_worst)); GPU(cudaFree(d_top));
  GPU(cudaStreamDestroy(g_strm));
  CK(ncclCommDestroy(g_comm));
  MPI_Finalize();
  return bad != 0;
}
