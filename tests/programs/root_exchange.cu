// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Load rebalancing through a coordinator. The coordinator gathers work lists of uneven length from everybody, renumbers
// them, and deals them out again with different lengths. The coordinator is a run-time choice and changes every round.
//
// usage: root_exchange [first coordinator] [items per unit]

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

enum ExitCode { EXIT_OK = 0, EXIT_WRONG_RESULT = 1, EXIT_CUDA = 2, EXIT_NCCL = 3 };

#define RETURN_IF_CUDA(e) do { if ((e) != cudaSuccess) { fprintf(stderr, "CUDA error at line %d: %s\n", __LINE__, cudaGetErrorString(cudaPeekAtLastError())); return EXIT_CUDA; } } while (0)
#define RETURN_IF_NCCL(e) do { if ((e) != ncclSuccess) { fprintf(stderr, "NCCL error at line %d: %s\n", __LINE__, ncclGetLastError(NULL)); return EXIT_NCCL; } } while (0)

typedef long long item_t;

static __host__ __device__ item_t make_item(int round, int rank, size_t k)
{
    uint64_t v = ((uint64_t)round << 48) ^ ((uint64_t)rank << 40) ^ (uint64_t)k;
    v = (v ^ (v >> 27)) * 0x3c79ac492ba7b653ULL + 0x1234567ULL;
    v = (v ^ (v >> 33)) * 0x1c69b3f74ac4ae35ULL;
    return (item_t)((v ^ (v >> 27)) >> 1);
}

// How many items a rank brings, and how many it takes home: uneven, not the same, equal in total.
struct Partition {
    std::vector<size_t> count, displ;
    size_t total;

    Partition(int nranks, size_t unit, bool before) : count(nranks), displ(nranks), total(0)
    {
        for (int r = 0; r < nranks; ++r) {
            // afterwards rank r gets what r + 1 had, but everybody leaves one item to rank 0
            count[r] = (2 * (before ? r : (r + 1) % nranks) + 1) * unit;
            if (!before) count[r] = r == 0 ? count[r] + nranks - 1 : count[r] - 1;
            displ[r] = total;
            total += count[r];
        }
    }
};

__global__ void create_items(item_t *items, size_t n, int rank, int round)
{
    size_t k = blockIdx.x * (size_t)blockDim.x + threadIdx.x;
    if (k < n) items[k] = make_item(round, rank, k);
}

// Reverses the order and mixes in the new index.
__global__ void renumber(const item_t *in, item_t *out, size_t n)
{
    size_t k = blockIdx.x * (size_t)blockDim.x + threadIdx.x;
    if (k < n) out[k] = (in[n - 1 - k] >> 2) * 3 + (item_t)k;
}

static int gatherv(const item_t *mine, size_t my_count, item_t *all, const Partition &p, int root, int rank, int nranks, ncclComm_t comm, cudaStream_t stream)
{
    RETURN_IF_NCCL(ncclGroupStart());
    if (rank == root) {
        for (int r = 0; r < nranks; ++r) {
            if (r == root) continue;
            RETURN_IF_NCCL(ncclRecv(all + p.displ[r], p.count[r], ncclInt64, r, comm, stream));
        }
    } else {
        RETURN_IF_NCCL(ncclSend(mine, my_count, ncclInt64, root, comm, stream));
    }
    RETURN_IF_NCCL(ncclGroupEnd());
    if (rank == root)
        RETURN_IF_CUDA(cudaMemcpyAsync(all + p.displ[root], mine, my_count * sizeof(item_t), cudaMemcpyDeviceToDevice, stream));
    return EXIT_OK;
}

// Here the root sends to itself as well.
static int scatterv(const item_t *all, const Partition &p, item_t *mine, size_t my_count, int root, int rank, int nranks, ncclComm_t comm, cudaStream_t stream)
{
    RETURN_IF_NCCL(ncclGroupStart());
    if (rank == root)
        for (int r = 0; r < nranks; ++r)
            RETURN_IF_NCCL(ncclSend(all + p.displ[r], p.count[r], ncclInt64, r, comm, stream));
    RETURN_IF_NCCL(ncclRecv(mine, my_count, ncclInt64, root, comm, stream));
    RETURN_IF_NCCL(ncclGroupEnd());
    return EXIT_OK;
}

static size_t count_wrong(const std::vector<item_t> &got, const Partition &before, const Partition &after, int rank, int nranks, int round, size_t guard)
{
    std::vector<item_t> in(before.total);
    for (int r = 0; r < nranks; ++r)
        for (size_t k = 0; k < before.count[r]; ++k) in[before.displ[r] + k] = make_item(round, r, k);
    size_t wrong = 0;
    for (size_t k = 0; k < after.count[rank]; ++k) {
        size_t g = after.displ[rank] + k;
        if (got[k] != (in[in.size() - 1 - g] >> 2) * 3 + (item_t)g) ++wrong;
    }
    for (size_t k = after.count[rank]; k < after.count[rank] + guard; ++k)
        if (got[k] != -1) ++wrong;
    return wrong;
}

static int run(int first_root, size_t unit, int rank, int nranks)
{
    const int rounds = 3;
    const size_t guard = 8;
    int local_rank, devices;
    MPI_Comm node;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
    MPI_Comm_rank(node, &local_rank);
    MPI_Comm_free(&node);
    RETURN_IF_CUDA(cudaGetDeviceCount(&devices));
    RETURN_IF_CUDA(cudaSetDevice(local_rank % devices));

    ncclUniqueId id;
    ncclComm_t comm;
    if (rank == 0) RETURN_IF_NCCL(ncclGetUniqueId(&id));
    MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
    RETURN_IF_NCCL(ncclCommInitRank(&comm, nranks, id, rank));

    const Partition before(nranks, unit, true), after(nranks, unit, false);
    const size_t brought = before.count[rank], taken = after.count[rank];
    if (before.total != after.total) {
        fprintf(stderr, "the partitions do not match: %zu and %zu items\n", before.total, after.total);
        return EXIT_WRONG_RESULT;
    }

    cudaStream_t stream;
    item_t *mine, *dealt;
    RETURN_IF_CUDA(cudaStreamCreate(&stream));
    RETURN_IF_CUDA(cudaMalloc((void **)&mine, brought * sizeof(item_t)));
    RETURN_IF_CUDA(cudaMalloc((void **)&dealt, (taken + guard) * sizeof(item_t)));

    double ms = 0;
    size_t wrong = 0;
    std::vector<item_t> result(taken + guard);
    for (int round = 0; round < rounds; ++round) {
        const int root = (first_root + round) % nranks;
        item_t *pool = NULL, *renumbered = NULL;   // the coordinator alone needs these
        if (rank == root) {
            RETURN_IF_CUDA(cudaMalloc((void **)&pool, before.total * sizeof(item_t)));
            RETURN_IF_CUDA(cudaMalloc((void **)&renumbered, after.total * sizeof(item_t)));
            RETURN_IF_CUDA(cudaMemsetAsync(pool, 0x99, before.total * sizeof(item_t), stream));
        }
        create_items<<<(unsigned)((brought + 127) / 128), 128, 0, stream>>>(mine, brought, rank, round);
        RETURN_IF_CUDA(cudaGetLastError());
        RETURN_IF_CUDA(cudaMemsetAsync(dealt, 0xff, (taken + guard) * sizeof(item_t), stream));
        RETURN_IF_CUDA(cudaStreamSynchronize(stream));
        MPI_Barrier(MPI_COMM_WORLD);

        double t = MPI_Wtime();
        int rc = gatherv(mine, brought, pool, before, root, rank, nranks, comm, stream);
        if (rc != EXIT_OK) return rc;
        if (rank == root) {
            renumber<<<(unsigned)((before.total + 127) / 128), 128, 0, stream>>>(pool, renumbered, before.total);
            RETURN_IF_CUDA(cudaGetLastError());
        }
        rc = scatterv(renumbered, after, dealt, taken, root, rank, nranks, comm, stream);
        if (rc != EXIT_OK) return rc;
        RETURN_IF_CUDA(cudaStreamSynchronize(stream));
        ms += (MPI_Wtime() - t) * 1000;

        RETURN_IF_CUDA(cudaMemcpy(result.data(), dealt, result.size() * sizeof(item_t), cudaMemcpyDeviceToHost));
        wrong += count_wrong(result, before, after, rank, nranks, round, guard);
        RETURN_IF_CUDA(cudaFree(pool));
        RETURN_IF_CUDA(cudaFree(renumbered));
    }

    printf("Time: %.3f ms\n", ms / rounds);
    printf("Verification: %s\n", wrong == 0 ? "PASS" : "FAIL");
    RETURN_IF_CUDA(cudaFree(mine));
    RETURN_IF_CUDA(cudaFree(dealt));
    RETURN_IF_CUDA(cudaStreamDestroy(stream));
    RETURN_IF_NCCL(ncclCommDestroy(comm));
    return wrong == 0 ? EXIT_OK : EXIT_WRONG_RESULT;
}

int main(int argc, char **argv)
{
    int rank, nranks;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &nranks);
    const int first_root = argc > 1 ? atoi(argv[1]) : 1;
    const size_t unit = argc > 2 ? strtoul(argv[2], NULL, 10) : 150;
    const int code = run(first_root, unit, rank, nranks);
    if (code == EXIT_CUDA || code == EXIT_NCCL) MPI_Abort(MPI_COMM_WORLD, code);
    MPI_Finalize();
    return code;
}
