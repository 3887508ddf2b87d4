// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// n-body forces in place: positions are gathered in place (every rank wrote its slice already), all pair forces of own
// sources on all bodies are computed, and the forces are reduce-scattered in place, back to the owners of the bodies.

#include <cstdio>
#include <cstdlib>
#include <vector>
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#define CK(x) if (int e_ = (int)(x)) { fprintf(stderr, "line %d: %s -> %d\n", __LINE__, #x, e_); MPI_Abort(MPI_COMM_WORLD, e_); }

__host__ __device__ int rnd(int body, int step) {
    unsigned u = body * 1664525u + step * 1013904223u + 0x3c6ef372u;
    u ^= u >> 16; u *= 0x45d9f3bu; u ^= u >> 16; u *= 0x45d9f3bu; u ^= u >> 16;
    return u % 201 - 100;
}
__host__ __device__ int force(int xi, int xj, int j) {   // on a body at xi by body j at xj
    int d = xj - xi;
    return d * (1 + j % 3) + (d > 0 ? 7 : d < 0 ? -7 : 0);
}

__global__ void place(int *x, int first, int n, int step) {
    int t = threadIdx.x + blockIdx.x * blockDim.x;
    if (t < n) x[t] = rnd(first + t, step);
}

__global__ void forces(const int *x, int *f, int total, int first, int n) {
    int i = threadIdx.x + blockIdx.x * blockDim.x;
    if (i >= total) return;
    int sum = 0;
    for (int j = first; j < first + n; j++) sum += force(x[i], x[j], j);
    f[i] = sum;
}

__global__ void sum_positions(const int *x, int total, long long *out) {
    __shared__ long long s[64];
    long long mine = 0;
    for (int i = threadIdx.x; i < total; i += 64) mine += (long long)x[i] * (i + 1);
    s[threadIdx.x] = mine;
    __syncthreads();
    for (int h = 32; h > 0; h /= 2) {
        if ((int)threadIdx.x < h) s[threadIdx.x] += s[threadIdx.x + h];
        __syncthreads();
    }
    if (threadIdx.x == 0) *out = s[0];
}

int main(int argc, char **argv) {
    CK(MPI_Init(&argc, &argv));
    int rank, size, ndev;
    CK(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
    CK(MPI_Comm_size(MPI_COMM_WORLD, &size));
    CK(cudaGetDeviceCount(&ndev));
    CK(cudaSetDevice(rank % ndev));

    int total_wanted = argc > 1 ? atoi(argv[1]) : 1100;   // bodies, all together
    int count = (total_wanted + size - 1) / size;         // bodies of a rank
    int total = count * size;
    int first = rank * count;
    if (count < 4) count = 4, total = count * size, first = rank * count;

    ncclUniqueId id;
    ncclComm_t comm;
    if (rank == 0) CK(ncclGetUniqueId(&id));
    CK(MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD));
    CK(ncclCommInitRank(&comm, size, id, rank));
    cudaStream_t s;
    CK(cudaStreamCreate(&s));
    cudaEvent_t a, b;
    CK(cudaEventCreate(&a));
    CK(cudaEventCreate(&b));

    int *pos, *frc;
    long long *moment;
    CK(cudaMalloc(&pos, sizeof(int) * total));
    CK(cudaMalloc(&frc, sizeof(int) * total));
    CK(cudaMalloc(&moment, sizeof *moment));

    int steps = 3, ok = 1;
    float sum_ms = 0;
    std::vector<int> hx(total), hf(total), wx(total);
    for (int step = 0; step < steps; step++) {
        CK(cudaMemsetAsync(pos, 0xff, sizeof(int) * total, s));
        CK(cudaMemsetAsync(frc, 0xff, sizeof(int) * total, s));
        CK(cudaMemsetAsync(moment, 0xff, sizeof *moment, s));
        place<<<(count + 63) / 64, 64, 0, s>>>(pos + first, first, count, step);
        CK(cudaGetLastError());
        CK(cudaStreamSynchronize(s));
        CK(MPI_Barrier(MPI_COMM_WORLD));

        CK(cudaEventRecord(a, s));
        CK(ncclAllGather(pos + rank * count, pos, count, ncclInt, comm, s));
        forces<<<(total + 63) / 64, 64, 0, s>>>(pos, frc, total, first, count);
        sum_positions<<<1, 64, 0, s>>>(pos, total, moment);
        CK(cudaGetLastError());
        CK(ncclReduceScatter(frc, frc + rank * count, count, ncclInt, ncclSum, comm, s));
        CK(cudaEventRecord(b, s));
        CK(cudaEventSynchronize(b));

        float ms;
        CK(cudaEventElapsedTime(&ms, a, b));
        sum_ms += ms;

        long long got_moment, want_moment = 0;
        CK(cudaMemcpy(hx.data(), pos, sizeof(int) * total, cudaMemcpyDeviceToHost));
        CK(cudaMemcpy(hf.data(), frc + first, sizeof(int) * count, cudaMemcpyDeviceToHost));
        CK(cudaMemcpy(&got_moment, moment, sizeof got_moment, cudaMemcpyDeviceToHost));
        for (int i = 0; i < total; i++) {
            wx[i] = rnd(i, step);
            want_moment += (long long)wx[i] * (i + 1);
            if (hx[i] != wx[i]) ok = 0;
        }
        if (got_moment != want_moment) ok = 0;
        for (int i = 0; i < count; i++) {
            int want = 0;
            for (int j = 0; j < total; j++) want += force(wx[first + i], wx[j], j);
            if (hf[i] != want) ok = 0;
        }
    }
    printf("Time: %g ms\n", sum_ms / steps);
    printf("Verification: %s\n", ok ? "PASS" : "FAIL");

    CK(cudaFree(pos));
    CK(cudaFree(frc));
    CK(cudaFree(moment));
    CK(cudaEventDestroy(a));
    CK(cudaEventDestroy(b));
    CK(cudaStreamDestroy(s));
    CK(ncclCommDestroy(comm));
    CK(MPI_Finalize());
    return !ok;
}
