// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Backward pass with overlapped gradient exchange: while bucket i is summed on the communication stream, the compute
// stream works on bucket i + 1; the optimizer step waits for all buckets. Integer-valued weights keep it exact.

#include <stdio.h>
#include <stdlib.h>

#include <array>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

template <typename Status>
void checkStatus(Status status, const char *const func, const char *const file, int const line)
{
    if (status)
    {
        fprintf(stderr, "error at %s:%d code=%d \"%s\"\n", file, line, static_cast<int>(status), func);
        MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
    }
}
#define checkErrors(val) checkStatus((val), #val, __FILE__, __LINE__)

constexpr int nBuckets = 5;
constexpr int nSteps = 4;

__host__ __device__ inline unsigned int pcgHash(unsigned int input)
{
    unsigned int state = input * 747796405u + 2891336453u;
    unsigned int word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

__host__ __device__ inline int initialWeight(int bucket, int i)
{
    return static_cast<int>(pcgHash(i * 8 + bucket) % 41u) - 20;
}

// The gradient depends on the current weight, so that an update that came late or twice shows in the next step.
__host__ __device__ inline int gradientOf(int weight, int bucket, int i, int rank, int step)
{
    unsigned int h = pcgHash(pcgHash(i * 8 + bucket) + 131u * rank + 4099u * step);
    return static_cast<int>((h + static_cast<unsigned int>(weight + 100000)) % 11u) - 5;
}

__global__ void initWeightsKernel(float *weights, int bucket, int count)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count)
        weights[i] = static_cast<float>(initialWeight(bucket, i));
}

__global__ void backwardKernel(const float *weights, float *gradients, int bucket, int count, int rank, int step)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count)
        gradients[i] = static_cast<float>(gradientOf(static_cast<int>(weights[i]), bucket, i, rank, step));
}

__global__ void sgdKernel(float *weights, const float *gradients, int count)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count)
        weights[i] -= gradients[i];
}

struct Bucket
{
    int count;
    float *weights;
    float *gradients;
    cudaEvent_t computed; // gradients of this rank are there
    cudaEvent_t reduced;  // gradients of all ranks are summed
};

bool verifyBucket(const Bucket &bucket, int index, int nRanks)
{
    std::vector<float> weights(bucket.count);
    checkErrors(cudaMemcpy(weights.data(), bucket.weights, bucket.count * sizeof(float), cudaMemcpyDeviceToHost));
    for (int i = 0; i < bucket.count; ++i)
    {
        int expected = initialWeight(index, i);
        for (int step = 0; step < nSteps; ++step)
        {
            int sum = 0;
            for (int rank = 0; rank < nRanks; ++rank)
                sum += gradientOf(expected, index, i, rank, step);
            expected -= sum;
        }
        if (weights[i] != static_cast<float>(expected))
        {
            fprintf(stderr, "bucket %d weight %d: %f instead of %d\n", index, i, weights[i], expected);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    checkErrors(MPI_Init(&argc, &argv));
    int rank = 0, nRanks = 0;
    checkErrors(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
    checkErrors(MPI_Comm_size(MPI_COMM_WORLD, &nRanks));

    // several ranks of one node each take their own GPU
    MPI_Comm nodeComm;
    int localRank = 0, nDevices = 0;
    checkErrors(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &nodeComm));
    checkErrors(MPI_Comm_rank(nodeComm, &localRank));
    checkErrors(MPI_Comm_free(&nodeComm));
    checkErrors(cudaGetDeviceCount(&nDevices));
    checkErrors(cudaSetDevice(localRank % nDevices));

    ncclUniqueId ncclId;
    ncclComm_t ncclComm;
    if (rank == 0)
        checkErrors(ncclGetUniqueId(&ncclId));
    checkErrors(MPI_Bcast(&ncclId, sizeof(ncclId), MPI_BYTE, 0, MPI_COMM_WORLD));
    checkErrors(ncclCommInitRank(&ncclComm, nRanks, ncclId, rank));

    int leastPriority = 0, greatestPriority = 0;
    cudaStream_t computeStream, commStream;
    checkErrors(cudaDeviceGetStreamPriorityRange(&leastPriority, &greatestPriority));
    checkErrors(cudaStreamCreateWithPriority(&computeStream, cudaStreamNonBlocking, leastPriority));
    checkErrors(cudaStreamCreateWithPriority(&commStream, cudaStreamNonBlocking, greatestPriority));

    const int unit = argc > 1 ? atoi(argv[1]) : 1000;
    const int threads = 128;
    std::array<Bucket, nBuckets> buckets;
    for (int b = 0; b < nBuckets; ++b)
    {
        Bucket &bucket = buckets[b];
        bucket.count = unit + 37 * b;
        checkErrors(cudaMalloc(&bucket.weights, bucket.count * sizeof(float)));
        checkErrors(cudaMalloc(&bucket.gradients, bucket.count * sizeof(float)));
        checkErrors(cudaMemsetAsync(bucket.gradients, 0xff, bucket.count * sizeof(float), computeStream));
        checkErrors(cudaEventCreateWithFlags(&bucket.computed, cudaEventDisableTiming));
        checkErrors(cudaEventCreateWithFlags(&bucket.reduced, cudaEventDisableTiming));
        initWeightsKernel<<<(bucket.count + threads - 1) / threads, threads, 0, computeStream>>>(bucket.weights, b, bucket.count);
        checkErrors(cudaGetLastError());
    }
    cudaEvent_t startEvent, stopEvent;
    checkErrors(cudaEventCreate(&startEvent));
    checkErrors(cudaEventCreate(&stopEvent));
    checkErrors(cudaDeviceSynchronize());
    checkErrors(MPI_Barrier(MPI_COMM_WORLD));

    checkErrors(cudaEventRecord(startEvent, computeStream));
    for (int step = 0; step < nSteps; ++step)
    {
        for (int b = 0; b < nBuckets; ++b)
        {
            Bucket &bucket = buckets[b];
            const int blocks = (bucket.count + threads - 1) / threads;
            backwardKernel<<<blocks, threads, 0, computeStream>>>(bucket.weights, bucket.gradients, b, bucket.count, rank, step);
            checkErrors(cudaEventRecord(bucket.computed, computeStream));
            checkErrors(cudaStreamWaitEvent(commStream, bucket.computed, 0));
            checkErrors(ncclAllReduce(bucket.gradients, bucket.gradients, bucket.count, ncclFloat, ncclSum, ncclComm, commStream));
            checkErrors(cudaEventRecord(bucket.reduced, commStream));
        }
        // optimizer step; the next backward pass follows on the same stream
        for (auto &bucket : buckets)
        {
            checkErrors(cudaStreamWaitEvent(computeStream, bucket.reduced, 0));
            sgdKernel<<<(bucket.count + threads - 1) / threads, threads, 0, computeStream>>>(bucket.weights, bucket.gradients, bucket.count);
        }
        checkErrors(cudaGetLastError());
    }
    checkErrors(cudaEventRecord(stopEvent, computeStream));
    checkErrors(cudaEventSynchronize(stopEvent));
    checkErrors(cudaStreamSynchronize(commStream));

    float milliseconds = 0.0f;
    checkErrors(cudaEventElapsedTime(&milliseconds, startEvent, stopEvent));
    bool passed = true;
    for (int b = 0; b < nBuckets; ++b)
        passed = verifyBucket(buckets[b], b, nRanks) && passed;
    printf("Time: %.4f ms\n", milliseconds / nSteps);
    printf("Verification: %s\n", passed ? "PASS" : "FAIL");

    for (auto &bucket : buckets)
    {
        checkErrors(cudaFree(bucket.weights));
        checkErrors(cudaFree(bucket.gradients));
        checkErrors(cudaEventDestroy(bucket.computed));
        checkErrors(cudaEventDestroy(bucket.reduced));
    }
    checkErrors(cudaEventDestroy(startEvent));
    checkErrors(cudaEventDestroy(stopEvent));
    checkErrors(cudaStreamDestroy(computeStream));
    checkErrors(cudaStreamDestroy(commStream));
    checkErrors(ncclCommDestroy(ncclComm));
    checkErrors(MPI_Finalize());
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
