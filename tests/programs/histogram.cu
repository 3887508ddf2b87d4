// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Detector read-out: every rank bins its events by channel and adds up their 40-bit time stamps; counters and sums
// of all ranks are reduced as 64-bit integers, then the mean time stamp of each channel is derived.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <mpi.h>
#include <nccl.h>
#include <cuda_runtime.h>

typedef unsigned long long u64;

#define CHANNELS 200
#define FIELDS   (2 * CHANNELS)     /* counters, then sums of time stamps */
#define TAIL     8                  /* canary words behind the result */
#define RUNS     3

static int my_rank;

static int failed(const char *what, const char *why)
{
    fprintf(stderr, "[%d] %s: %s\n", my_rank, what, why);
    return MPI_Abort(MPI_COMM_WORLD, 4);
}

static void cuda_ok(cudaError_t rc, const char *what)
{
    if (rc != cudaSuccess)
        failed(what, cudaGetErrorString(rc));
}

__host__ __device__ static u64 event_word(u64 event, u64 rank, u64 run)
{
    u64 w = (event << 20) + (rank << 8) + run + 1;
    w ^= w >> 31; w *= 0x7fb5d329728ea185ull;
    w ^= w >> 27; w *= 0x81dadef4bc2dd44dull;
    return w ^ (w >> 33);
}

#define CHANNEL_OF(w) ((unsigned)((w) % CHANNELS))
#define STAMP_OF(w)   ((w) >> 24)   /* 40 bits */

__global__ void digitise(u64 *events, unsigned n, int rank, int run)
{
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        events[i] = event_word(i, rank, run);
}

/* private histogram per block, merged at the end; FIELDS * 8 bytes of dynamic shared memory */
__global__ void bin_events(const u64 *events, unsigned n, u64 *local)
{
    extern __shared__ u64 bins[];
    unsigned i;

    for (i = threadIdx.x; i < FIELDS; i += blockDim.x)
        bins[i] = 0;
    __syncthreads();

    for (i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        const u64 w = events[i];
        atomicAdd(&bins[CHANNEL_OF(w)], 1ull);
        atomicAdd(&bins[CHANNELS + CHANNEL_OF(w)], STAMP_OF(w));
    }
    __syncthreads();

    for (i = threadIdx.x; i < FIELDS; i += blockDim.x)
        if (bins[i] != 0)
            atomicAdd(&local[i], bins[i]);
}

__global__ void mean_stamp(const u64 *global, u64 *mean)
{
    unsigned c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c < CHANNELS)
        mean[c] = global[c] ? global[CHANNELS + c] / global[c] : 0;
}

int main(int argc, char **argv)
{
    int nranks, ndev, run, r;
    unsigned i, nevents = 6000, wrong = 0;
    u64 *events, *local, *global, *mean;
    u64 *want, *got, *got_mean;
    cudaStream_t stream;
    cudaEvent_t before, after;
    ncclUniqueId id;
    ncclComm_t comm;
    ncclResult_t rc;
    float ms, sum_ms = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &my_rank);
    MPI_Comm_size(MPI_COMM_WORLD, &nranks);
    if (argc > 1)
        nevents = (unsigned)strtoul(argv[1], NULL, 0);

    cuda_ok(cudaGetDeviceCount(&ndev), "device count");
    cuda_ok(cudaSetDevice(my_rank % ndev), "set device");
    if (my_rank == 0) {
        rc = ncclGetUniqueId(&id);
        if (rc != ncclSuccess)
            return failed("ncclGetUniqueId", ncclGetErrorString(rc));
    }
    MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
    rc = ncclCommInitRank(&comm, nranks, id, my_rank);
    if (rc != ncclSuccess)
        return failed("ncclCommInitRank", ncclGetErrorString(rc));

    cuda_ok(cudaStreamCreate(&stream), "stream");
    cuda_ok(cudaEventCreate(&before), "event");
    cuda_ok(cudaEventCreate(&after), "event");
    cuda_ok(cudaMalloc((void **)&events, nevents * sizeof(u64)), "events");
    cuda_ok(cudaMalloc((void **)&local, FIELDS * sizeof(u64)), "local");
    cuda_ok(cudaMalloc((void **)&global, (FIELDS + TAIL) * sizeof(u64)), "global");
    cuda_ok(cudaMalloc((void **)&mean, CHANNELS * sizeof(u64)), "mean");
    want = (u64 *)malloc(FIELDS * sizeof(u64));
    got = (u64 *)malloc((FIELDS + TAIL) * sizeof(u64));
    got_mean = (u64 *)malloc(CHANNELS * sizeof(u64));

    for (run = 0; run < RUNS; run++) {
        void *digitise_args[] = { &events, &nevents, &my_rank, &run };
        void *bin_args[] = { &events, &nevents, &local };
        void *mean_args[] = { &global, &mean };

        cuda_ok(cudaLaunchKernel((const void *)digitise, dim3((nevents + 255) / 256), dim3(256), digitise_args, 0, stream), "digitise");
        cuda_ok(cudaMemsetAsync(global, 0xff, (FIELDS + TAIL) * sizeof(u64), stream), "poison");
        cuda_ok(cudaMemsetAsync(mean, 0xff, CHANNELS * sizeof(u64), stream), "poison");
        cuda_ok(cudaStreamSynchronize(stream), "sync");
        MPI_Barrier(MPI_COMM_WORLD);

        cuda_ok(cudaEventRecord(before, stream), "record");
        cuda_ok(cudaMemsetAsync(local, 0, FIELDS * sizeof(u64), stream), "clear");
        cuda_ok(cudaLaunchKernel((const void *)bin_events, dim3(4), dim3(128), bin_args, FIELDS * sizeof(u64), stream), "bin_events");
        rc = ncclAllReduce(local, global, FIELDS, ncclUint64, ncclSum, comm, stream);
        if (rc != ncclSuccess)
            return failed("ncclAllReduce", ncclGetErrorString(rc));
        cuda_ok(cudaLaunchKernel((const void *)mean_stamp, dim3(2), dim3(128), mean_args, 0, stream), "mean_stamp");
        cuda_ok(cudaEventRecord(after, stream), "record");
        cuda_ok(cudaEventSynchronize(after), "sync");
        cuda_ok(cudaEventElapsedTime(&ms, before, after), "elapsed");
        sum_ms += ms;

        cuda_ok(cudaMemcpy(got, global, (FIELDS + TAIL) * sizeof(u64), cudaMemcpyDeviceToHost), "copy");
        cuda_ok(cudaMemcpy(got_mean, mean, CHANNELS * sizeof(u64), cudaMemcpyDeviceToHost), "copy");
        memset(want, 0, FIELDS * sizeof(u64));
        for (r = 0; r < nranks; r++)
            for (i = 0; i < nevents; i++) {
                const u64 w = event_word(i, r, run);
                want[CHANNEL_OF(w)] += 1;
                want[CHANNELS + CHANNEL_OF(w)] += STAMP_OF(w);
            }
        for (i = 0; i < FIELDS; i++)
            wrong += got[i] != want[i];
        for (i = FIELDS; i < FIELDS + TAIL; i++)
            wrong += got[i] != ~0ull;
        for (i = 0; i < CHANNELS; i++)
            wrong += got_mean[i] != (want[i] ? want[CHANNELS + i] / want[i] : 0);
    }

    printf("Time: %.5f ms\n", sum_ms / RUNS);
    printf("Verification: %s\n", wrong == 0 ? "PASS" : "FAIL");

    free(want);
    free(got);
    free(got_mean);
    cuda_ok(cudaFree(events), "free");
    cuda_ok(cudaFree(local), "free");
    cuda_ok(cudaFree(global), "free");
    cuda_ok(cudaFree(mean), "free");
    cuda_ok(cudaEventDestroy(before), "event");
    cuda_ok(cudaEventDestroy(after), "event");
    cuda_ok(cudaStreamDestroy(stream), "stream");
    rc = ncclCommDestroy(comm);
    if (rc != ncclSuccess)
        return failed("ncclCommDestroy", ncclGetErrorString(rc));
    MPI_Finalize();
    return wrong == 0 ? 0 : 1;
}
