// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Data-parallel training step: the gradients live in buckets of different sizes, each bucket is summed over the
// ranks, then scaled by 1/world as DDP does.
// usage: mpirun -np R ./ddp_buckets [size multiplier]

#include <stdio.h>
#include <stdlib.h>

#include <mpi.h>
#include <cuda_runtime.h>
#include <nccl.h>

#define CHECK_CUDA(cmd) do {                                        \
    cudaError_t e = (cmd);                                          \
    if (e != cudaSuccess) {                                         \
        fprintf(stderr, "CUDA error %s:%d '%s'\n",                  \
                __FILE__, __LINE__, cudaGetErrorString(e));         \
        exit(EXIT_FAILURE);                                         \
    }                                                               \
} while (0)

#define CHECK_NCCL(cmd) do {                                        \
    ncclResult_t r = (cmd);                                         \
    if (r != ncclSuccess) {                                         \
        fprintf(stderr, "NCCL error %s:%d '%s'\n",                  \
                __FILE__, __LINE__, ncclGetErrorString(r));         \
        exit(EXIT_FAILURE);                                         \
    }                                                               \
} while (0)

#define NUM_BUCKETS 6
#define NUM_STEPS   3
#define GUARD       16      /* floats behind every bucket that nobody may touch */
#define GUARD_BYTE  0x4b    /* 0x4b4b4b4b is a finite float: a sum over ranks would change it */
#define THREADS     128

/* gradient of parameter i of bucket b on a rank in a step: an integer in [-500, 500] */
__host__ __device__ static float grad_value(unsigned i, unsigned b, unsigned rank, unsigned step)
{
    unsigned h = i * 2654435761u ^ (b + 1) * 40503u ^ (rank + 1) * 2246822519u ^ (step + 1) * 3266489917u;
    h ^= h >> 15; h *= 2246822519u;
    h ^= h >> 13; h *= 3266489917u;
    h ^= h >> 16;
    return (float)((int)(h % 1001u) - 500);
}

__global__ void backward(float *g, int n, int bucket, int rank, int step)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        g[i] = grad_value(i, bucket, rank, step);
}

__global__ void scale(float *g, int n, float factor)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        g[i] *= factor;
}

int main(int argc, char *argv[])
{
    /* the last bucket of a real model is a few stray biases */
    int elems[NUM_BUCKETS] = { 4096, 2500, 3072, 1023, 65, 1 };
    float *grad[NUM_BUCKETS];
    float *host;
    int rank, world, ndev, b, i, step, bad = 0;
    int mult = argc > 1 ? atoi(argv[1]) : 1;
    float ms, total = 0.0f;
    ncclUniqueId id;
    ncclComm_t comm;
    cudaStream_t stream;
    cudaEvent_t t0, t1;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &world);

    CHECK_CUDA(cudaGetDeviceCount(&ndev));
    CHECK_CUDA(cudaSetDevice(rank % ndev));

    if (rank == 0)
        CHECK_NCCL(ncclGetUniqueId(&id));
    MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
    CHECK_NCCL(ncclCommInitRank(&comm, world, id, rank));

    CHECK_CUDA(cudaStreamCreate(&stream));
    CHECK_CUDA(cudaEventCreate(&t0));
    CHECK_CUDA(cudaEventCreate(&t1));

    for (b = 0; b < NUM_BUCKETS; b++) {
        elems[b] *= mult;
        CHECK_CUDA(cudaMalloc((void **)&grad[b], (elems[b] + GUARD) * sizeof(float)));
        CHECK_CUDA(cudaMemset(grad[b], GUARD_BYTE, (elems[b] + GUARD) * sizeof(float)));
    }
    host = (float *)malloc((4096 * (size_t)mult + GUARD) * sizeof(float));

    for (step = 0; step < NUM_STEPS; step++) {
        /* autograd fills the buckets from the back of the network to the front */
        for (b = 0; b < NUM_BUCKETS; b++)
            backward<<<(elems[b] + THREADS - 1) / THREADS, THREADS, 0, stream>>>(grad[b], elems[b], b, rank, step);
        CHECK_CUDA(cudaGetLastError());
        CHECK_CUDA(cudaStreamSynchronize(stream));
        MPI_Barrier(MPI_COMM_WORLD);

        CHECK_CUDA(cudaEventRecord(t0, stream));
        for (b = 0; b < NUM_BUCKETS; b++) {
            CHECK_NCCL(ncclAllReduce(grad[b], grad[b], elems[b], ncclFloat, ncclSum, comm, stream));
            scale<<<(elems[b] + THREADS - 1) / THREADS, THREADS, 0, stream>>>(grad[b], elems[b], 1.0f / world);
        }
        CHECK_CUDA(cudaEventRecord(t1, stream));
        CHECK_CUDA(cudaStreamSynchronize(stream));

        CHECK_CUDA(cudaEventElapsedTime(&ms, t0, t1));
        total += ms;
    }

    for (b = 0; b < NUM_BUCKETS; b++) {
        CHECK_CUDA(cudaMemcpy(host, grad[b], (elems[b] + GUARD) * sizeof(float), cudaMemcpyDeviceToHost));
        for (i = 0; i < elems[b]; i++) {
            float want = 0.0f;
            for (int r = 0; r < world; r++)
                want += grad_value(i, b, r, NUM_STEPS - 1);
            want *= 1.0f / world;
            if (host[i] != want) {
                if (bad < 3)
                    fprintf(stderr, "rank %d bucket %d [%d]: got %g, want %g\n", rank, b, i, host[i], want);
                bad++;
            }
        }
        for (i = 0; i < (int)(GUARD * sizeof(float)); i++)
            if (((unsigned char *)(host + elems[b]))[i] != GUARD_BYTE)
                bad++;
    }

    printf("Time: %.6f ms\n", total / NUM_STEPS);
    printf("Verification: %s\n", bad ? "FAIL" : "PASS");

    for (b = 0; b < NUM_BUCKETS; b++)
        CHECK_CUDA(cudaFree(grad[b]));
    free(host);
    CHECK_CUDA(cudaEventDestroy(t0));
    CHECK_CUDA(cudaEventDestroy(t1));
    CHECK_CUDA(cudaStreamDestroy(stream));
    CHECK_NCCL(ncclCommDestroy(comm));
    MPI_Finalize();
    return bad ? 1 : 0;
}
