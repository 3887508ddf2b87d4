// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Assembles a sharded column store on every rank: the all-gather is cut into chunks so that unpacking a chunk into
// rank order overlaps with the gathering of the next one. The last chunk is shorter.
//
// usage: chunked_pipeline [rows per rank] [rows per chunk]

#include <mpi.h>
#include <nccl.h>
#include <stdio.h>
#include <stdlib.h>

#include <vector>

typedef unsigned int u32;

#define NOFAIL(stmt)                                                                          \
        do                                                                                    \
        {                                                                                     \
                if ((stmt) != 0)                                                              \
                {                                                                             \
                        fprintf(stderr, "fatal: %s, line %d\n", #stmt, __LINE__);             \
                        exit(2);                                                              \
                }                                                                             \
        } while (0)

static const size_t guard = 64; // rows after the table which nobody may touch

__host__ __device__ static u32 row(u32 rank, u32 i, u32 generation)
{
        u32 h = generation * 0x1000193u + 0x811c9dc5u;
        h = (h ^ rank) * 0x01000193u;
        h = (h ^ (i & 0xffffu)) * 0x01000193u;
        h = (h ^ (i >> 16)) * 0x01000193u;
        h ^= h >> 13;
        h *= 0x5bd1e995u;
        return h ^ (h >> 15);
}

template <typename T>
__global__ void produce(T* shard, size_t n, int rank, int generation)
{
        size_t stride = (size_t)gridDim.x * blockDim.x;
        for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
                shard[i] = row(rank, i, generation);
}

// staged: [rank][len] as the chunk's all-gather left it; table: [rank][n]
template <typename T>
__global__ void unpack(const T* staged, T* table, size_t off, size_t len, size_t n)
{
        size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
        if (i < len)
                *(table + blockIdx.y * n + off + i) = *(staged + blockIdx.y * len + i);
}

template <typename T>
static void gather_chunked(const T* shard, T* staging, T* table, size_t n, size_t chunk, int nranks, ncclDataType_t dt,
                           ncclComm_t comm, cudaStream_t net, cudaStream_t mem, std::vector<cudaEvent_t>& arrived)
{
        size_t k = 0;
        for (size_t off = 0; off < n; off += chunk)
        {
                size_t len = n - off < chunk ? n - off : chunk;
                T* here = staging + off * nranks;

                NOFAIL(ncclAllGather(shard + off, here, len, dt, comm, net));
                NOFAIL(cudaEventRecord(arrived[k], net));

                NOFAIL(cudaStreamWaitEvent(mem, arrived[k], 0));
                unpack<T><<<dim3((len + 127) / 128, nranks), dim3(128), 0, mem>>>(here, table, off, len, n);
                k++;
        }
}

int main(int argc, char** argv)
{
        size_t n = 6007, chunk = 1536;
        const int generations = 3;
        int rank, nranks, ndev;
        float ms, sum = 0;
        bool pass = true;

        if (argc > 1) n = strtoul(argv[1], 0, 10);
        if (argc > 2) chunk = strtoul(argv[2], 0, 10);

        NOFAIL(MPI_Init(&argc, &argv));
        NOFAIL(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
        NOFAIL(MPI_Comm_size(MPI_COMM_WORLD, &nranks));
        NOFAIL(cudaGetDeviceCount(&ndev));
        NOFAIL(cudaSetDevice(rank % ndev));

        ncclUniqueId id;
        ncclComm_t comm;
        ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
        config.blocking = 1;
        if (!rank) NOFAIL(ncclGetUniqueId(&id));
        NOFAIL(MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD));
        NOFAIL(ncclCommInitRankConfig(&comm, nranks, id, rank, &config));

        cudaStream_t net, mem;
        cudaEvent_t t0, t1;
        NOFAIL(cudaStreamCreate(&net));
        NOFAIL(cudaStreamCreate(&mem));
        NOFAIL(cudaEventCreate(&t0));
        NOFAIL(cudaEventCreate(&t1));
        std::vector<cudaEvent_t> arrived((n + chunk - 1) / chunk);
        for (size_t k = 0; k < arrived.size(); k++)
                NOFAIL(cudaEventCreateWithFlags(&arrived[k], cudaEventDisableTiming));

        const size_t total = n * nranks;
        u32 *shard, *staging, *table;
        NOFAIL(ncclMemAlloc((void**)&shard, n * sizeof(u32)));
        NOFAIL(ncclMemAlloc((void**)&staging, total * sizeof(u32)));
        NOFAIL(cudaMalloc((void**)&table, (total + guard) * sizeof(u32)));
        u32* host = (u32*)malloc((total + guard) * sizeof(u32));

        for (int g = 0; g < generations; g++)
        {
                NOFAIL(cudaMemset(staging, 0xff, total * sizeof(u32)));
                NOFAIL(cudaMemset(table, 0xff, (total + guard) * sizeof(u32)));
                NOFAIL(cudaDeviceSynchronize());
                NOFAIL(MPI_Barrier(MPI_COMM_WORLD));

                NOFAIL(cudaEventRecord(t0, net));
                produce<u32><<<16, 128, 0, net>>>(shard, n, rank, g);
                gather_chunked<u32>(shard, staging, table, n, chunk, nranks, ncclUint32, comm, net, mem, arrived);
                NOFAIL(cudaEventRecord(t1, mem)); // the last unpack is behind the last gather
                NOFAIL(cudaEventSynchronize(t1));
                NOFAIL(cudaGetLastError());
                NOFAIL(cudaEventElapsedTime(&ms, t0, t1));
                sum += ms;

                NOFAIL(cudaMemcpy(host, table, (total + guard) * sizeof(u32), cudaMemcpyDeviceToHost));
                const u32* p = host;
                for (int r = 0; r < nranks; r++)
                        for (size_t i = 0; i < n; i++)
                                if (*p++ != row(r, i, g)) pass = false;
                for (size_t i = 0; i < guard; i++)
                        if (*p++ != 0xffffffffu) pass = false;
        }

        free(host);
        NOFAIL(ncclMemFree(shard));
        NOFAIL(ncclMemFree(staging));
        NOFAIL(cudaFree(table));
        for (size_t k = 0; k < arrived.size(); k++) NOFAIL(cudaEventDestroy(arrived[k]));
        NOFAIL(cudaEventDestroy(t0));
        NOFAIL(cudaEventDestroy(t1));
        NOFAIL(cudaStreamDestroy(net));
        NOFAIL(cudaStreamDestroy(mem));
        NOFAIL(ncclCommDestroy(comm));

        printf("Time: %.3f ms\n", sum / generations);
        puts(pass ? "Verification: PASS" : "Verification: FAIL");
        NOFAIL(MPI_Finalize());
        return !pass;
}
