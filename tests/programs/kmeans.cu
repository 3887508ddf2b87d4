// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Lloyd's k-means on points spread over the ranks: per iteration the coordinate sums and the member counts of all
// clusters are reduced. Coordinates are small integers and centroids live on a grid of 1/16, so nothing is rounded.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "cuda_runtime.h"
#include "mpi.h"
#include "nccl.h"

static int fail_line = 0;
#define R(e) do { if ((e) != cudaSuccess) { fail_line = __LINE__; goto broken; } } while (0)
#define N(e) do { if ((e) != ncclSuccess) { fail_line = __LINE__; goto broken; } } while (0)

namespace km {

enum { D = 4, K = 7 };

// coordinate d of point p of a rank, 0..63; points huddle around a few corners
__host__ __device__ inline int coord(int rank, int p, int d) {
    unsigned s = 0xB5297A4Du * (unsigned)(p * D + d + 1) + 0x68E31DA4u * (unsigned)(rank + 1);
    s ^= s >> 8;  s += 0x1B56C4E9u;
    s ^= s << 8;  s *= 0xB5297A4Du;
    s ^= s >> 9;
    const unsigned corner = (unsigned)(p * 7 + rank * 3) % (K + 2);
    return (int)((corner * (11u + 2u * d) + s % 17u) % 64u);
}

__host__ __device__ inline float start_centroid(int k, int d) { return (float)((k * 19 + d * 23 + 5) % 64); }

__host__ __device__ inline int nearest(const float *x, const float *cent) {
    int best = 0;
    float best_d2 = 1e30f;
    for (int k = 0; k < K; k++) {
        float d2 = 0;
        for (int d = 0; d < D; d++) {
            const float t = x[d] - cent[k * D + d];
            d2 += t * t;
        }
        if (d2 < best_d2) { best_d2 = d2; best = k; }
    }
    return best;
}

__host__ __device__ inline float snap(float sum, int count) { return rintf(16.0f * sum / (float)count) * 0.0625f; }

__global__ void load(float *pts, int n, int rank) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n * D) pts[i] = (float)coord(rank, i / D, i % D);
}

__global__ void reset(float *cent) {
    if (threadIdx.x < K * D) cent[threadIdx.x] = start_centroid(threadIdx.x / D, threadIdx.x % D);
}

__global__ void assign(const float *pts, int n, const float *cent, int *label, float *sums, int *counts) {
    __shared__ float s_sum[K * D];
    __shared__ int s_count[K];
    for (int i = threadIdx.x; i < K * D; i += blockDim.x) s_sum[i] = 0;
    if (threadIdx.x < K) s_count[threadIdx.x] = 0;
    __syncthreads();
    const int p = blockIdx.x * blockDim.x + threadIdx.x;
    if (p < n) {
        const int k = nearest(pts + p * D, cent);
        label[p] = k;
        for (int d = 0; d < D; d++) atomicAdd(s_sum + k * D + d, pts[p * D + d]);
        atomicAdd(s_count + k, 1);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < K * D; i += blockDim.x) atomicAdd(sums + i, s_sum[i]);
    if (threadIdx.x < K) atomicAdd(counts + threadIdx.x, s_count[threadIdx.x]);
}

__global__ void move(float *cent, const float *sums, const int *counts) {
    const int i = threadIdx.x;
    if (i < K * D && counts[i / D] > 0) cent[i] = snap(sums[i], counts[i / D]);
}

// plain serial k-means over the points of all ranks
void reference(int nranks, int n, int iters, std::vector<float> &cent, std::vector<int> &counts, std::vector<int> &labels) {
    cent.resize(K * D);
    for (int i = 0; i < K * D; i++) cent[i] = start_centroid(i / D, i % D);
    labels.assign((size_t)nranks * n, -1);
    for (int it = 0; it < iters; it++) {
        std::vector<double> sums(K * D, 0.0);
        counts.assign(K, 0);
        for (int r = 0; r < nranks; r++)
            for (int p = 0; p < n; p++) {
                float x[D];
                for (int d = 0; d < D; d++) x[d] = (float)coord(r, p, d);
                const int k = nearest(x, cent.data());
                labels[(size_t)r * n + p] = k;
                counts[k]++;
                for (int d = 0; d < D; d++) sums[k * D + d] += x[d];
            }
        for (int i = 0; i < K * D; i++)
            if (counts[i / D]) cent[i] = snap((float)sums[i], counts[i / D]);
    }
}

}  // namespace km

int main(int argc, char **argv) {
    using namespace km;
    MPI_Init(&argc, &argv);
    int me, np, ngpu = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &me);
    MPI_Comm_size(MPI_COMM_WORLD, &np);
    const int iters = argc > 1 ? std::atoi(argv[1]) : 5;
    const int n = argc > 2 ? std::atoi(argv[2]) : 1500;
    const int tpb = 128, blocks_points = (n + tpb - 1) / tpb, blocks_coords = (n * D + tpb - 1) / tpb;

    ncclComm_t nc;
    ncclUniqueId uid;
    cudaStream_t st;
    float *pts, *cent, *sums;
    int *label, *counts;
    double t0 = 0, t1 = 0;
    std::vector<float> got_cent(K * D), want_cent;
    std::vector<int> got_counts(K), want_counts, got_label(n), want_label;
    bool ok = true;

    R(cudaGetDeviceCount(&ngpu));
    R(cudaSetDevice(me % ngpu));
    if (me == 0) N(ncclGetUniqueId(&uid));
    MPI_Bcast(&uid, sizeof uid, MPI_BYTE, 0, MPI_COMM_WORLD);
    N(ncclCommInitRank(&nc, np, uid, me));
    R(cudaStreamCreate(&st));
    R(cudaMalloc((void **)&pts, (size_t)n * D * sizeof *pts));
    R(cudaMalloc((void **)&cent, K * D * sizeof *cent));
    R(cudaMalloc((void **)&sums, K * D * sizeof *sums));
    R(cudaMalloc((void **)&label, n * sizeof *label));
    R(cudaMalloc((void **)&counts, K * sizeof *counts));
    R(cudaMemsetAsync(label, 0xff, n * sizeof *label, st));
    load<<<blocks_coords, tpb, 0, st>>>(pts, n, me);
    reset<<<1, 32, 0, st>>>(cent);
    R(cudaStreamSynchronize(st));
    MPI_Barrier(MPI_COMM_WORLD);

    t0 = MPI_Wtime();
    for (int it = 0; it < iters; it++) {
        R(cudaMemsetAsync(sums, 0, K * D * sizeof *sums, st));
        R(cudaMemsetAsync(counts, 0, K * sizeof *counts, st));
        assign<<<blocks_points, tpb, 0, st>>>(pts, n, cent, label, sums, counts);
        N(ncclAllReduce(sums, sums, K * D, ncclFloat, ncclSum, nc, st));
        N(ncclAllReduce(counts, counts, K, ncclInt, ncclSum, nc, st));
        move<<<1, 32, 0, st>>>(cent, sums, counts);
    }
    R(cudaStreamSynchronize(st));
    t1 = MPI_Wtime();
    R(cudaGetLastError());

    R(cudaMemcpy(got_cent.data(), cent, K * D * sizeof(float), cudaMemcpyDeviceToHost));
    R(cudaMemcpy(got_counts.data(), counts, K * sizeof(int), cudaMemcpyDeviceToHost));
    R(cudaMemcpy(got_label.data(), label, n * sizeof(int), cudaMemcpyDeviceToHost));
    reference(np, n, iters, want_cent, want_counts, want_label);
    ok = got_cent == want_cent && got_counts == want_counts && std::accumulate(got_counts.begin(), got_counts.end(), 0) == n * np;
    for (int p = 0; p < n; p++) ok = ok && got_label[p] == want_label[(size_t)me * n + p];

    std::printf("Time: %.6f ms\n", (t1 - t0) * 1e3);
    std::printf("Verification: %s\n", ok ? "PASS" : "FAIL");

    R(cudaFree(pts));
    R(cudaFree(cent));
    R(cudaFree(sums));
    R(cudaFree(label));
    R(cudaFree(counts));
    R(cudaStreamDestroy(st));
    N(ncclCommDestroy(nc));
    MPI_Finalize();
    return ok ? 0 : 1;

broken:
    std::fprintf(stderr, "kmeans: rank %d: CUDA or NCCL call on line %d failed\n", me, fail_line);
    MPI_Abort(MPI_COMM_WORLD, 1);
    return 1;
}
