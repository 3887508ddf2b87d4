// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Matrix-free conjugate gradients for a 1-D reaction-diffusion operator: (A x)_i = d_i x_i - x_{i-1} - x_{i+1}.
// Unknowns are spread in contiguous pieces; neighbours swap one value, dot products are all-reduced doubles.
// usage: mpirun -np R ./conjugate_gradient [unknowns] [max iterations]

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>
#include <mpi.h>
#include <cuda_runtime.h>
#include <nccl.h>

static bool die(const char *what)
{
  fprintf(stderr, "cg: %s failed\n", what);
  MPI_Abort(MPI_COMM_WORLD, 1);
  return false;
}

// ---- the problem: diagonal and known solution by global index

__host__ __device__ unsigned rnd(unsigned long long k)
{
  k = (k + 0x632be59bd9b4e019ull) * 0x9e3779b97f4a7c15ull;
  k = (k ^ (k >> 29)) * 0xbf58476d1ce4e5b9ull;
  return unsigned((k ^ (k >> 32)) >> 3);
}
__host__ __device__ double diag(long i) { return 4.0 + 0.25 * (rnd(2 * i) % 5); }
static double solution(long i, int system) { return 0.125 * (int(rnd(2 * i + 1 + 1000003ull * system) % 161) - 80); }

// ---- device vectors are [0..n+1], halo values at 0 and n+1

#define FOR_I int i = blockIdx.x * blockDim.x + threadIdx.x + 1; if (i <= n)

__global__ void apply(const double *p, double *q, long first, int n)
{
  FOR_I q[i] = diag(first + i - 1) * p[i] - p[i - 1] - p[i + 1];
}

__global__ void dot(const double *a, const double *b, int n, double *result)
{
  __shared__ double part[128];
  double mine = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x + 1; i <= n; i += gridDim.x * blockDim.x) mine += a[i] * b[i];
  part[threadIdx.x] = mine;
  for (int s = blockDim.x >> 1; s; s >>= 1) {
    __syncthreads();
    if (threadIdx.x < s) part[threadIdx.x] += part[threadIdx.x + s];
  }
  if (threadIdx.x == 0) atomicAdd(result, part[0]);
}

// x += alpha p, r -= alpha q with alpha = rr / pq
__global__ void step(double *x, double *r, const double *p, const double *q, const double *rr, const double *pq, int n)
{
  FOR_I {
    const double alpha = *rr / *pq;
    x[i] += alpha * p[i];
    r[i] -= alpha * q[i];
  }
}

// p = r + beta p with beta = rr_new / rr
__global__ void direction(double *p, const double *r, const double *rr_new, const double *rr, int n)
{
  FOR_I p[i] = r[i] + *rr_new / *rr * p[i];
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  int me, np, devs;
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  MPI_Comm_size(MPI_COMM_WORLD, &np);
  const long N = argc > 1 ? atol(argv[1]) : 4001;
  const int maxit = argc > 2 ? atoi(argv[2]) : 50;
  const long first = N * me / np;
  const int n = int(N * (me + 1) / np - first);
  const int T = 128, G = (n + T - 1) / T;

  cudaGetDeviceCount(&devs) == cudaSuccess || die("cudaGetDeviceCount");
  cudaSetDevice(me % devs) == cudaSuccess || die("cudaSetDevice");
  ncclUniqueId id;
  if (me == 0) ncclGetUniqueId(&id) == ncclSuccess || die("ncclGetUniqueId");
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  ncclCommInitRank(&comm, np, id, me) == ncclSuccess || die("ncclCommInitRank");
  cudaStream_t s;
  cudaStreamCreate(&s) == cudaSuccess || die("cudaStreamCreate");

  const size_t bytes = (n + 2) * sizeof(double);
  double *x, *r, *p, *q, *scalars, *h_rr;
  for (double **v : {&x, &r, &p, &q}) cudaMalloc((void **)v, bytes) == cudaSuccess || die("cudaMalloc");
  cudaMalloc((void **)&scalars, 3 * sizeof(double)) == cudaSuccess || die("cudaMalloc");
  cudaMallocHost((void **)&h_rr, sizeof(double)) == cudaSuccess || die("cudaMallocHost");
  double *rr = scalars, *rr_new = scalars + 1, *const pq = scalars + 2;

  // v . w over all ranks into *out, which stays on the device
  auto global_dot = [&](const double *v, const double *w, double *out) {
    cudaMemsetAsync(out, 0, sizeof(double), s) == cudaSuccess || die("cudaMemsetAsync");
    dot<<<G < 8 ? G : 8, T, 0, s>>>(v, w, n, out);
    ncclAllReduce(out, out, 1, ncclDouble, ncclSum, comm, s) == ncclSuccess || die("ncclAllReduce");
  };
  auto fetch = [&](const double *scalar) {
    cudaMemcpyAsync(h_rr, scalar, sizeof(double), cudaMemcpyDeviceToHost, s) == cudaSuccess || die("cudaMemcpyAsync");
    cudaStreamSynchronize(s) == cudaSuccess || die("cudaStreamSynchronize");
    return *h_rr;
  };

  double seconds = 0;
  long wrong = 0;
  for (int system = 0; system < 2; system++) {
    std::vector<double> b(n + 2, 0.0);
    for (int i = 1; i <= n; i++) {
      const long g = first + i - 1;
      b[i] = diag(g) * solution(g, system) - (g > 0 ? solution(g - 1, system) : 0) - (g < N - 1 ? solution(g + 1, system) : 0);
    }
    cudaMemcpy(r, b.data(), bytes, cudaMemcpyHostToDevice) == cudaSuccess || die("cudaMemcpy");
    cudaMemcpy(p, b.data(), bytes, cudaMemcpyHostToDevice) == cudaSuccess || die("cudaMemcpy");
    cudaMemset(q, 0xff, bytes) == cudaSuccess || die("cudaMemset");
    cudaMemset(x, 0, bytes) == cudaSuccess || die("cudaMemset");
    cudaDeviceSynchronize() == cudaSuccess || die("cudaDeviceSynchronize");
    MPI_Barrier(MPI_COMM_WORLD);

    const double start = MPI_Wtime();
    global_dot(r, r, rr);
    const double goal = 1e-24 * fetch(rr);
    double now = *h_rr;
    int it = 0;
    while (now > goal && it < maxit) {
      ncclGroupStart() == ncclSuccess || die("ncclGroupStart");
      if (me > 0) {
        ncclSend(p + 1, 1, ncclDouble, me - 1, comm, s) == ncclSuccess || die("ncclSend");
        ncclRecv(p, 1, ncclDouble, me - 1, comm, s) == ncclSuccess || die("ncclRecv");
      }
      if (me < np - 1) {
        ncclSend(p + n, 1, ncclDouble, me + 1, comm, s) == ncclSuccess || die("ncclSend");
        ncclRecv(p + n + 1, 1, ncclDouble, me + 1, comm, s) == ncclSuccess || die("ncclRecv");
      }
      ncclGroupEnd() == ncclSuccess || die("ncclGroupEnd");
      apply<<<G, T, 0, s>>>(p, q, first, n);
      global_dot(p, q, pq);
      step<<<G, T, 0, s>>>(x, r, p, q, rr, pq, n);
      global_dot(r, r, rr_new);
      now = fetch(rr_new);
      direction<<<G, T, 0, s>>>(p, r, rr_new, rr, n);
      std::swap(rr, rr_new);
      it++;
    }
    cudaStreamSynchronize(s) == cudaSuccess || die("cudaStreamSynchronize");
    seconds += MPI_Wtime() - start;

    std::vector<double> got(n + 2);
    cudaMemcpy(got.data(), x, bytes, cudaMemcpyDeviceToHost) == cudaSuccess || die("cudaMemcpy");
    for (int i = 1; i <= n; i++)
      if (!(std::fabs(got[i] - solution(first + i - 1, system)) <= 1e-9)) wrong++;
    if (got[0] != 0 || got[n + 1] != 0) wrong++;
    if (now > goal) wrong++;  // ran out of iterations
  }
  printf("Time: %.6f ms\nVerification: %s\n", seconds * 500, wrong ? "FAIL" : "PASS");

  for (double *v : {x, r, p, q, scalars}) cudaFree(v) == cudaSuccess || die("cudaFree");
  cudaFreeHost(h_rr) == cudaSuccess || die("cudaFreeHost");
  cudaStreamDestroy(s) == cudaSuccess || die("cudaStreamDestroy");
  ncclCommDestroy(comm) == ncclSuccess || die("ncclCommDestroy");
  MPI_Finalize();
  return wrong ? 1 : 0;
}
