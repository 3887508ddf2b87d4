// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// SUMMA: C = A * B on a 2-D process grid. In step t the owners of the t-th panel of A broadcast it along their process
// row, the owners of the t-th panel of B along their process column, and everybody adds the rank-NB product to C.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vector>

#include <mpi.h>
#include <cuda_runtime.h>
#include <nccl.h>

const int NB = 12;  // panel width
const int TX = 8, TY = 8;

static void chk_cuda(cudaError_t e, const char *where)
{
  if (e != cudaSuccess) {
    fprintf(stderr, "CUDA: %s in %s\n", cudaGetErrorString(e), where);
    MPI_Abort(MPI_COMM_WORLD, 10);
  }
}

static void chk_nccl(ncclResult_t e, const char *where)
{
  if (e != ncclSuccess) {
    fprintf(stderr, "NCCL: %s in %s\n", ncclGetErrorString(e), where);
    MPI_Abort(MPI_COMM_WORLD, 11);
  }
}

// Entry (i, j) of global matrix `name`; small integers keep the float sums exact.
__host__ __device__ static inline float entry(char name, int i, int j, int rep)
{
  unsigned h = (unsigned)i * 73856093u ^ (unsigned)j * 19349663u ^ (unsigned)(name * 131 + rep) * 83492791u;
  h = (h ^ (h >> 17)) * 0xed5ad4bbu;
  h = (h ^ (h >> 11)) * 0xac4c1b51u;
  h ^= h >> 15;
  return (float)((int)(h % 19) - 9);
}

// Local block, rows [i0, i0 + mi) and columns [j0, j0 + nj), column-major or row-major.
__global__ void fill_block(float *block, char name, int i0, int mi, int j0, int nj, bool column_major, int rep)
{
  int j = blockIdx.x * blockDim.x + threadIdx.x;
  int i = blockIdx.y * blockDim.y + threadIdx.y;
  if (i < mi && j < nj)
    block[column_major ? (size_t)j * mi + i : (size_t)i * nj + j] = entry(name, i0 + i, j0 + j, rep);
}

// C (m x n, row-major) += PA (m x NB, column-major) * PB (NB x n, row-major)
__global__ void panel_gemm(float *C, const float *PA, const float *PB, int m, int n)
{
  __shared__ float sa[NB][TY], sb[NB][TX];
  int i = blockIdx.y * TY + threadIdx.y;
  int j = blockIdx.x * TX + threadIdx.x;
  for (int p = threadIdx.x; p < NB; p += TX)
    sa[p][threadIdx.y] = i < m ? PA[(size_t)p * m + i] : 0.0f;
  for (int p = threadIdx.y; p < NB; p += TY)
    sb[p][threadIdx.x] = j < n ? PB[(size_t)p * n + j] : 0.0f;
  __syncthreads();
  if (i < m && j < n) {
    float c = C[(size_t)i * n + j];
    for (int p = 0; p < NB; ++p) c += sa[p][threadIdx.y] * sb[p][threadIdx.x];
    C[(size_t)i * n + j] = c;
  }
}

static int gcd(int a, int b) { return b == 0 ? a : gcd(b, a % b); }

static dim3 tiles(int m, int n) { return dim3((n + TX - 1) / TX, (m + TY - 1) / TY, 1); }

int main(int argc, char *argv[])
{
  MPI_Init(&argc, &argv);
  int me, nprocs;
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  MPI_Comm_size(MPI_COMM_WORLD, &nprocs);

  int ndev;
  chk_cuda(cudaGetDeviceCount(&ndev), "cudaGetDeviceCount");
  chk_cuda(cudaSetDevice(me % ndev), "cudaSetDevice");

  // Process grid P x Q, as square as the number of processes permits.
  int P = 1;
  for (int d = 1; d * d <= nprocs; ++d)
    if (nprocs % d == 0) P = d;
  const int Q = nprocs / P;
  const int myrow = me / Q, mycol = me % Q;

  ncclUniqueId id;
  if (me == 0) chk_nccl(ncclGetUniqueId(&id), "ncclGetUniqueId");
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t world, row_comm, col_comm;
  chk_nccl(ncclCommInitRank(&world, nprocs, id, me), "ncclCommInitRank");
  chk_nccl(ncclCommSplit(world, myrow, mycol, &row_comm, NULL), "ncclCommSplit(row)");
  chk_nccl(ncclCommSplit(world, mycol, myrow, &col_comm, NULL), "ncclCommSplit(column)");

  // Local blocks: C is m x n, A is m x (K / Q), B is (K / P) x n.
  const int panels = P / gcd(P, Q) * Q;
  const int factor = argc > 1 ? atoi(argv[1]) : 1;
  const int m = 44 * factor, n = 36 * factor;
  const int K = 2 * panels * NB * factor;
  const int steps = K / NB;
  const int ka = K / Q, kb = K / P;

  cudaStream_t st;
  chk_cuda(cudaStreamCreate(&st), "cudaStreamCreate");
  cudaEvent_t e0, e1;
  chk_cuda(cudaEventCreate(&e0), "cudaEventCreate");
  chk_cuda(cudaEventCreate(&e1), "cudaEventCreate");

  float *A, *B, *C, *PA, *PB;
  chk_cuda(cudaMalloc((void **)&A, sizeof(float) * m * ka), "A");
  chk_cuda(cudaMalloc((void **)&B, sizeof(float) * kb * n), "B");
  chk_cuda(cudaMalloc((void **)&C, sizeof(float) * m * n), "C");
  chk_cuda(cudaMalloc((void **)&PA, sizeof(float) * m * NB), "panel of A");
  chk_cuda(cudaMalloc((void **)&PB, sizeof(float) * NB * n), "panel of B");

  std::vector<float> got((size_t)m * n), want((size_t)m * n);
  const int reps = 2;
  float ms_all = 0;
  bool correct = true;

  for (int rep = 0; rep < reps; ++rep) {
    // Setup, not timed
    fill_block<<<tiles(m, ka), dim3(TX, TY), 0, st>>>(A, 'A', myrow * m, m, mycol * ka, ka, true, rep);
    fill_block<<<tiles(kb, n), dim3(TX, TY), 0, st>>>(B, 'B', myrow * kb, kb, mycol * n, n, false, rep);
    chk_cuda(cudaGetLastError(), "fill_block");
    chk_cuda(cudaMemsetAsync(PA, 0xff, sizeof(float) * m * NB, st), "memset PA");
    chk_cuda(cudaMemsetAsync(PB, 0xff, sizeof(float) * NB * n, st), "memset PB");
    chk_cuda(cudaMemsetAsync(C, 0, sizeof(float) * m * n, st), "memset C");
    chk_cuda(cudaStreamSynchronize(st), "setup");
    MPI_Barrier(MPI_COMM_WORLD);

    chk_cuda(cudaEventRecord(e0, st), "record");
    for (int t = 0; t < steps; ++t) {
      const int a_owner = t * NB / ka;  // process column
      const int b_owner = t * NB / kb;  // process row
      const float *a_panel = a_owner == mycol ? A + (size_t)(t * NB - a_owner * ka) * m : PA;
      const float *b_panel = b_owner == myrow ? B + (size_t)(t * NB - b_owner * kb) * n : PB;
      chk_nccl(ncclBroadcast(a_panel, PA, (size_t)m * NB, ncclFloat, a_owner, row_comm, st), "row broadcast");
      chk_nccl(ncclBroadcast(b_panel, PB, (size_t)NB * n, ncclFloat, b_owner, col_comm, st), "column broadcast");
      panel_gemm<<<tiles(m, n), dim3(TX, TY), 0, st>>>(C, PA, PB, m, n);
      chk_cuda(cudaGetLastError(), "panel_gemm");
    }
    chk_cuda(cudaEventRecord(e1, st), "record");
    chk_cuda(cudaStreamSynchronize(st), "SUMMA");
    float ms;
    chk_cuda(cudaEventElapsedTime(&ms, e0, e1), "elapsed");
    ms_all += ms;

    // This process's block of the product, from the definition
    memset(want.data(), 0, sizeof(float) * want.size());
    for (int i = 0; i < m; ++i)
      for (int k = 0; k < K; ++k) {
        const float a = entry('A', myrow * m + i, k, rep);
        for (int j = 0; j < n; ++j) want[(size_t)i * n + j] += a * entry('B', k, mycol * n + j, rep);
      }
    chk_cuda(cudaMemcpy(got.data(), C, sizeof(float) * got.size(), cudaMemcpyDeviceToHost), "copy C");
    for (size_t x = 0; x < want.size(); ++x)
      if (got[x] != want[x]) correct = false;
  }

  printf("Time: %.4f ms\n", ms_all / reps);
  printf("Verification: %s\n", correct ? "PASS" : "FAIL");

  cudaFree(A);
  cudaFree(B);
  cudaFree(C);
  cudaFree(PA);
  cudaFree(PB);
  cudaEventDestroy(e0);
  cudaEventDestroy(e1);
  cudaStreamDestroy(st);
  ncclCommDestroy(row_comm);
  ncclCommDestroy(col_comm);
  ncclCommDestroy(world);
  MPI_Finalize();
  return correct ? EXIT_SUCCESS : EXIT_FAILURE;
}
