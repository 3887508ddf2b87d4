// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Federated averaging of half-precision weights: the replicas' weights are averaged out of place with ncclAvg and
// every replica then moves half the way from its own weights to the average.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <vector>

#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

inline void must(bool ok, char const *expr, int line)
{
    if (ok) return;
    std::cerr << "half_average.cu(" << line << "): " << expr << std::endl;
    MPI_Abort(MPI_COMM_WORLD, 1);
}
#define MUST_CUDA(e) must((e) == cudaSuccess, #e, __LINE__)
#define MUST_NCCL(e) must((e) == ncclSuccess, #e, __LINE__)

constexpr int BLOCK = 64;
constexpr int ROUNDS = 3;

// weights are multiples of 1/4 in [-16, 16): exact in half
struct WeightHash
{
    unsigned replica, round;

    __host__ __device__ float operator()(unsigned row, unsigned col) const
    {
        unsigned v = (row * 73856093u) ^ (col * 19349663u) ^ ((replica + 3u) * 83492791u) ^ ((round + 7u) * 0x9e3779b1u);
        v = (v ^ (v >> 16)) * 0x45d9f3bu;
        v = (v ^ (v >> 16)) * 0x45d9f3bu;
        v ^= v >> 16;
        return (static_cast<int>(v & 127u) - 64) * 0.25f;
    }
};

template <typename T, int THREADS>
__global__ void __launch_bounds__(THREADS) initialise(T *__restrict__ w, int rows, int cols, WeightHash hash)
{
    int const row = blockIdx.y;
    int const col = blockIdx.x * THREADS + threadIdx.x;
    if (row < rows && col < cols) w[row * cols + col] = T(hash(row, col));
}

template <typename T, int THREADS>
__global__ void __launch_bounds__(THREADS, 2) pull(T const *__restrict__ own, T const *__restrict__ average, float *__restrict__ moved, int rows,
                                                   int cols)
{
    int const row = blockIdx.y;
    int const col = blockIdx.x * THREADS + threadIdx.x;
    if (row >= rows || col >= cols) return;
    int const at = row * cols + col;
    moved[at] = 0.5f * (float(own[at]) + float(average[at]));
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int const rows = argc > 1 ? std::atoi(argv[1]) : 30;
    int const cols = 150;
    auto const n = static_cast<std::size_t>(rows) * cols;

    int gpus = 0;
    MUST_CUDA(cudaGetDeviceCount(&gpus));
    MUST_CUDA(cudaSetDevice(rank % gpus));
    ncclComm_t replicas;
    {
        ncclUniqueId key;
        if (rank == 0) MUST_NCCL(ncclGetUniqueId(&key));
        MPI_Bcast(&key, sizeof(key), MPI_BYTE, 0, MPI_COMM_WORLD);
        MUST_NCCL(ncclCommInitRank(&replicas, size, key, rank));
    }

    half *own, *average;
    float *moved;
    MUST_CUDA(cudaMalloc(&own, n * sizeof(half)));
    MUST_CUDA(cudaMalloc(&average, n * sizeof(half)));
    MUST_CUDA(cudaMalloc(&moved, n * sizeof(float)));
    MUST_CUDA(cudaMemset(average, 0xff, n * sizeof(half)));
    MUST_CUDA(cudaMemset(moved, 0xff, n * sizeof(float)));
    cudaStream_t s;
    MUST_CUDA(cudaStreamCreate(&s));
    cudaEvent_t tick, tock;
    MUST_CUDA(cudaEventCreate(&tick));
    MUST_CUDA(cudaEventCreate(&tock));

    dim3 const block(BLOCK);
    dim3 const grid((cols + BLOCK - 1) / BLOCK, rows);
    MUST_CUDA(cudaDeviceSynchronize());

    std::vector<float> times;
    for (int round = 0; round < ROUNDS; ++round)
    {
        initialise<half, BLOCK><<<grid, block, 0, s>>>(own, rows, cols, WeightHash{unsigned(rank), unsigned(round)});
        MUST_CUDA(cudaStreamSynchronize(s));
        MPI_Barrier(MPI_COMM_WORLD);

        MUST_CUDA(cudaEventRecord(tick, s));
        MUST_NCCL(ncclAllReduce(own, average, n, ncclHalf, ncclAvg, replicas, s));
        pull<half, BLOCK><<<grid, block, 0, s>>>(own, average, moved, rows, cols);
        MUST_CUDA(cudaEventRecord(tock, s));
        MUST_CUDA(cudaEventSynchronize(tock));
        float ms = 0.f;
        MUST_CUDA(cudaEventElapsedTime(&ms, tick, tock));
        times.push_back(ms);
    }
    std::sort(times.begin(), times.end());

    std::vector<half> own_back(n), average_back(n);
    std::vector<float> moved_back(n);
    MUST_CUDA(cudaMemcpy(own_back.data(), own, n * sizeof(half), cudaMemcpyDefault));
    MUST_CUDA(cudaMemcpy(average_back.data(), average, n * sizeof(half), cudaMemcpyDefault));
    MUST_CUDA(cudaMemcpy(moved_back.data(), moved, n * sizeof(float), cudaMemcpyDefault));

    long wrong = 0;
    for (int row = 0; row < rows; ++row)
        for (int col = 0; col < cols; ++col)
        {
            std::size_t const at = std::size_t(row) * cols + col;
            double sum = 0, magnitude = 0;
            for (unsigned r = 0; r < unsigned(size); ++r)
            {
                double const w = WeightHash{r, ROUNDS - 1}(row, col);
                sum += w;
                magnitude += std::fabs(w);
            }
            double const mean = sum / size;
            // roundings to half: 1/size, the products, size - 1 additions; each at most 2^-11 of the largest partial sum
            double const tolerance = (size + 2) * (1.0 / 2048) * magnitude / size + 1e-7;
            float const mine = WeightHash{unsigned(rank), ROUNDS - 1}(row, col);
            if (__half2float(own_back[at]) != mine) ++wrong;
            if (!(std::fabs(__half2float(average_back[at]) - mean) <= tolerance)) ++wrong;
            if (!(std::fabs(moved_back[at] - 0.5 * (mine + mean)) <= 0.5 * tolerance + 1e-6)) ++wrong;
        }

    std::printf("Time: %.6f ms\n", times[times.size() / 2]);
    std::printf("Verification: %s\n", wrong ? "FAIL" : "PASS");

    MUST_CUDA(cudaEventDestroy(tick));
    MUST_CUDA(cudaEventDestroy(tock));
    MUST_CUDA(cudaStreamDestroy(s));
    for (void *p : {static_cast<void *>(own), static_cast<void *>(average), static_cast<void *>(moved)}) MUST_CUDA(cudaFree(p));
    MUST_NCCL(ncclCommDestroy(replicas));
    MPI_Finalize();
    return wrong ? 2 : 0;
}
