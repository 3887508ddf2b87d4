// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Sequence parallelism around tensor-parallel MLP blocks. Between the blocks every rank holds a slice of the tokens
// (RMS norm, residual); an AllGather brings the normed tokens together before the column-parallel projection and a
// ReduceScatter after the row-parallel one both sums the partial outputs and hands every rank its tokens back.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#define CUDA_RT_CALL(call)                                                                                  \
    {                                                                                                       \
        cudaError_t cudaStatus = call;                                                                      \
        if (cudaSuccess != cudaStatus) {                                                                    \
            fprintf(stderr, "ERROR: CUDA call \"%s\" in line %d failed with %s (%d).\n", #call, __LINE__,   \
                    cudaGetErrorString(cudaStatus), cudaStatus);                                            \
            exit(cudaStatus);                                                                               \
        }                                                                                                   \
    }

#define NCCL_CALL(call)                                                                                     \
    {                                                                                                       \
        ncclResult_t ncclStatus = call;                                                                     \
        if (ncclSuccess != ncclStatus) {                                                                    \
            fprintf(stderr, "ERROR: NCCL call \"%s\" in line %d failed with %s (%d).\n", #call, __LINE__,   \
                    ncclGetErrorString(ncclStatus), ncclStatus);                                            \
            exit(ncclStatus);                                                                               \
        }                                                                                                   \
    }

namespace config {
constexpr int hidden = 64;           // H
constexpr int ffn_per_rank = 16;     // F / ranks
constexpr int layers = 2;
constexpr int warmup = 2;
constexpr int timed = 4;
constexpr float epsilon = 1e-3f;
}  // namespace config

enum Tensor : uint32_t { kTokens = 1, kUp = 2, kDown = 3, kGain = 4 };

__host__ __device__ inline float rnd(uint32_t tensor, uint32_t layer_or_iter, uint32_t row, uint32_t col)
{
    uint32_t h = tensor * 0x9e3779b1u + layer_or_iter * 0x85ebca77u;
    h = (h ^ row) * 0xc2b2ae3du;
    h = (h ^ (h >> 16) ^ col) * 0x27d4eb2fu;
    h = (h ^ (h >> 15)) * 0x165667b1u;
    h ^= h >> 16;
    return (h >> 8) * (2.0f / 16777216.0f) - 1.0f;
}

__global__ void init_tokens(float* x, int tokens, int first_token, int iter)
{
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < tokens * config::hidden; i += gridDim.x * blockDim.x)
        x[i] = 2.0f * rnd(kTokens, iter, first_token + i / config::hidden, i % config::hidden);
}

__global__ void init_weights(float* up, float* down, float* gain, int layer, int rank)
{
    const int n = config::ffn_per_rank * config::hidden;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        const int f = rank * config::ffn_per_rank + i / config::hidden, h = i % config::hidden;
        up[i] = 0.25f * rnd(kUp, layer, f, h);      // [F/ranks][H]
        down[i] = 0.25f * rnd(kDown, layer, f, h);  // [F/ranks][H]
        if (i < config::hidden) gain[i] = 1.0f + 0.5f * rnd(kGain, layer, 0, i);
    }
}

// One warp-sized block per token.
__global__ void rms_norm(const float* __restrict__ x, const float* __restrict__ gain, float* __restrict__ y)
{
    __shared__ float partial[32];
    const float* row = x + blockIdx.x * config::hidden;
    float sum = 0.0f;
    for (int h = threadIdx.x; h < config::hidden; h += 32) sum += row[h] * row[h];
    partial[threadIdx.x] = sum;
    __syncthreads();
    for (int step = 16; step > 0; step >>= 1) {
        if (threadIdx.x < (unsigned)step) partial[threadIdx.x] += partial[threadIdx.x + step];
        __syncthreads();
    }
    const float inv = 1.0f / sqrtf(partial[0] / config::hidden + config::epsilon);
    for (int h = threadIdx.x; h < config::hidden; h += 32) y[blockIdx.x * config::hidden + h] = row[h] * inv * gain[h];
}

// A GEMV per token: z[t][f] = relu(up[f] . y[t])
__global__ void column_parallel(const float* __restrict__ y, const float* __restrict__ up, float* __restrict__ z)
{
    const int f = threadIdx.x;
    float acc = 0.0f;
    for (int h = 0; h < config::hidden; ++h) acc += y[blockIdx.x * config::hidden + h] * up[f * config::hidden + h];
    z[blockIdx.x * config::ffn_per_rank + f] = acc > 0.0f ? acc : 0.0f;
}

// A GEMV per token over this rank's part of F: partial[t][h] = sum_f z[t][f] * down[f][h]
__global__ void row_parallel(const float* __restrict__ z, const float* __restrict__ down, float* __restrict__ partial)
{
    const int h = threadIdx.x;
    float acc = 0.0f;
    for (int f = 0; f < config::ffn_per_rank; ++f)
        acc += z[blockIdx.x * config::ffn_per_rank + f] * down[f * config::hidden + h];
    partial[blockIdx.x * config::hidden + h] = acc;
}

__global__ void add_residual(float* x, const float* __restrict__ delta, int n)
{
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i] += delta[i];
}

// The tokens [first, first + count) after all layers, on the host; tokens do not depend on each other.
std::vector<double> reference(int first, int count, int ffn, int iter)
{
    using config::hidden;
    std::vector<double> x((size_t)count * hidden), y(hidden), delta(hidden);
    for (int t = 0; t < count; ++t)
        for (int h = 0; h < hidden; ++h) x[(size_t)t * hidden + h] = 2.0f * rnd(kTokens, iter, first + t, h);
    for (int l = 0; l < config::layers; ++l) {
        for (int t = 0; t < count; ++t) {
            double* row = &x[(size_t)t * hidden];
            double sum = 0;
            for (int h = 0; h < hidden; ++h) sum += row[h] * row[h];
            for (int h = 0; h < hidden; ++h)
                y[h] = row[h] / sqrt(sum / hidden + config::epsilon) * (1.0f + 0.5f * rnd(kGain, l, 0, h));
            delta.assign(hidden, 0.0);
            for (int f = 0; f < ffn; ++f) {
                double z = 0;
                for (int h = 0; h < hidden; ++h) z += y[h] * 0.25f * rnd(kUp, l, f, h);
                if (z > 0)
                    for (int h = 0; h < hidden; ++h) delta[h] += z * 0.25f * rnd(kDown, l, f, h);
            }
            for (int h = 0; h < hidden; ++h) row[h] += delta[h];
        }
    }
    return x;
}

int main(int argc, char* argv[])
{
    MPI_Init(&argc, &argv);
    int rank = 0, size = 1, num_devices = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    const int my_tokens = argc > 1 ? atoi(argv[1]) : 18;
    const int tokens = my_tokens * size;

    CUDA_RT_CALL(cudaGetDeviceCount(&num_devices));
    CUDA_RT_CALL(cudaSetDevice(rank % num_devices));
    ncclUniqueId nccl_uid;
    if (rank == 0) NCCL_CALL(ncclGetUniqueId(&nccl_uid));
    MPI_Bcast(&nccl_uid, sizeof(ncclUniqueId), MPI_BYTE, 0, MPI_COMM_WORLD);
    ncclComm_t nccl_comm;
    NCCL_CALL(ncclCommInitRank(&nccl_comm, size, nccl_uid, rank));
    cudaStream_t stream;
    CUDA_RT_CALL(cudaStreamCreate(&stream));

    const size_t mine = (size_t)my_tokens * config::hidden, all = (size_t)tokens * config::hidden;
    const size_t weights = (size_t)config::ffn_per_rank * config::hidden;
    float *x, *normed, *normed_all, *z, *partial, *delta, *up[config::layers], *down[config::layers], *gain[config::layers];
    CUDA_RT_CALL(cudaMalloc(&x, mine * sizeof(float)));
    CUDA_RT_CALL(cudaMalloc(&normed, mine * sizeof(float)));
    CUDA_RT_CALL(cudaMalloc(&delta, mine * sizeof(float)));
    CUDA_RT_CALL(cudaMalloc(&normed_all, all * sizeof(float)));
    CUDA_RT_CALL(cudaMalloc(&partial, all * sizeof(float)));
    CUDA_RT_CALL(cudaMalloc(&z, (size_t)tokens * config::ffn_per_rank * sizeof(float)));
    for (int l = 0; l < config::layers; ++l) {
        CUDA_RT_CALL(cudaMalloc(&up[l], weights * sizeof(float)));
        CUDA_RT_CALL(cudaMalloc(&down[l], weights * sizeof(float)));
        CUDA_RT_CALL(cudaMalloc(&gain[l], config::hidden * sizeof(float)));
        init_weights<<<4, 128, 0, stream>>>(up[l], down[l], gain[l], l, rank);
    }
    CUDA_RT_CALL(cudaGetLastError());

    auto forward = [&](int iter) {
        init_tokens<<<4, 128, 0, stream>>>(x, my_tokens, rank * my_tokens, iter);
        for (int l = 0; l < config::layers; ++l) {
            rms_norm<<<my_tokens, 32, 0, stream>>>(x, gain[l], normed);
            NCCL_CALL(ncclAllGather(normed, normed_all, mine, ncclFloat, nccl_comm, stream));
            column_parallel<<<tokens, config::ffn_per_rank, 0, stream>>>(normed_all, up[l], z);
            row_parallel<<<tokens, config::hidden, 0, stream>>>(z, down[l], partial);
            NCCL_CALL(ncclReduceScatter(partial, delta, mine, ncclFloat, ncclSum, nccl_comm, stream));
            add_residual<<<(int)((mine + 127) / 128), 128, 0, stream>>>(x, delta, (int)mine);
        }
        CUDA_RT_CALL(cudaGetLastError());
    };

    for (int iter = 0; iter < config::warmup; ++iter) forward(iter);
    CUDA_RT_CALL(cudaMemsetAsync(normed_all, 0xff, all * sizeof(float), stream));
    CUDA_RT_CALL(cudaMemsetAsync(delta, 0xff, mine * sizeof(float), stream));
    CUDA_RT_CALL(cudaStreamSynchronize(stream));

    MPI_Barrier(MPI_COMM_WORLD);
    const double start = MPI_Wtime();
    for (int iter = 0; iter < config::timed; ++iter) forward(config::warmup + iter);
    CUDA_RT_CALL(cudaStreamSynchronize(stream));
    MPI_Barrier(MPI_COMM_WORLD);
    const double stop = MPI_Wtime();

    std::vector<float> result(mine);
    CUDA_RT_CALL(cudaMemcpy(result.data(), x, mine * sizeof(float), cudaMemcpyDeviceToHost));
    const std::vector<double> expected =
        reference(rank * my_tokens, my_tokens, size * config::ffn_per_rank, config::warmup + config::timed - 1);
    bool result_correct = true;
    for (size_t i = 0; result_correct && i < mine; ++i) {
        if (!(std::fabs(result[i] - expected[i]) <= 5e-5 * (1.0 + std::fabs(expected[i])))) {
            fprintf(stderr, "ERROR on rank %d: x[%zu] = %f, should be %f\n", rank, i, result[i], expected[i]);
            result_correct = false;
        }
    }

    printf("Time: %8.4f ms\n", (stop - start) * 1000.0 / config::timed);
    printf("Verification: %s\n", result_correct ? "PASS" : "FAIL");

    for (int l = config::layers - 1; l >= 0; --l) {
        CUDA_RT_CALL(cudaFree(gain[l]));
        CUDA_RT_CALL(cudaFree(down[l]));
        CUDA_RT_CALL(cudaFree(up[l]));
    }
    CUDA_RT_CALL(cudaFree(z));
    CUDA_RT_CALL(cudaFree(partial));
    CUDA_RT_CALL(cudaFree(normed_all));
    CUDA_RT_CALL(cudaFree(delta));
    CUDA_RT_CALL(cudaFree(normed));
    CUDA_RT_CALL(cudaFree(x));
    CUDA_RT_CALL(cudaStreamDestroy(stream));
    NCCL_CALL(ncclCommDestroy(nccl_comm));
    MPI_Finalize();
    return result_correct ? 0 : 1;
}
