// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Fixed-point wave propagation in a closed basin, NX x NY cells, fourth order in space.  NY is cut into slabs, one per
// rank; the basin has walls, so the first and the last slab have a neighbour on one side only.  The arrays keep y
// fastest (they come from a Fortran code), hence two-row halos are strided and get packed before they are sent.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vector>

#include "cuda_runtime.h"
#include "mpi.h"
#include "nccl.h"

static int g_rank, g_size;

static void die(const char *what, const char *why, int line)
{
    fprintf(stderr, "rank %d line %d: %s failed: %s\n", g_rank, line, what, why);
    MPI_Abort(MPI_COMM_WORLD, 3);
}
#define CU(x)  { cudaError_t s = (x);  if (s != cudaSuccess) die(#x, cudaGetErrorString(s), __LINE__); }
#define NC(x)  { ncclResult_t s = (x); if (s != ncclSuccess) die(#x, ncclGetErrorString(s), __LINE__); }

enum { W = 2 };                 /* halo width */

/* y in [-W, ny+W) of column x, y fastest */
#define AT(x, y) ((size_t)(x) * (ny + 2 * W) + (y) + W)

__host__ __device__ static int bump(int x, int y, int which)
{
    unsigned h = (unsigned)x * 0x85ebca6bu ^ (unsigned)y * 0xc2b2ae35u ^ (unsigned)which * 0x27d4eb2fu;
    h ^= h >> 16;  h *= 0x7feb352du;
    h ^= h >> 15;  h *= 0x846ca68bu;
    h ^= h >> 16;
    return (int)(h & 2047) - 1024;
}

__global__ void initialize(int *cur, int *old, int nx, int ny, int y0)
{
    int y = blockIdx.x * blockDim.x + threadIdx.x;
    int x = blockIdx.y * blockDim.y + threadIdx.y;
    if (x < nx && y < ny) {
        cur[AT(x, y)] = bump(x, y0 + y, 0);
        old[AT(x, y)] = bump(x, y0 + y, 1);
    }
}

/* rows y .. y+W-1 of all columns  ->  box[w * nx + x] */
__global__ void packRows(const int *u, int *box, int nx, int ny, int y)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x;
    if (x >= nx) return;
    for (int w = 0; w < W; w++)
        box[w * nx + x] = u[AT(x, y + w)];
}

__global__ void unpackRows(int *u, const int *box, int nx, int ny, int y)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x;
    if (x >= nx) return;
    for (int w = 0; w < W; w++)
        u[AT(x, y + w)] = box[w * nx + x];
}

/* one leap-frog step for rows ylo..yhi-1; what lies beyond a wall counts as zero */
__global__ void leap(const int *cur, const int *old, int *nxt, int nx, int ny, int ylo, int yhi)
{
    int y = ylo + blockIdx.x * blockDim.x + threadIdx.x;
    int x = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= nx || y >= yhi) return;
    int c = cur[AT(x, y)];
    int near = cur[AT(x, y - 1)] + cur[AT(x, y + 1)];
    int far = cur[AT(x, y - 2)] + cur[AT(x, y + 2)];
    if (x >= 1) near += cur[AT(x - 1, y)];
    if (x >= 2) far += cur[AT(x - 2, y)];
    if (x < nx - 1) near += cur[AT(x + 1, y)];
    if (x < nx - 2) far += cur[AT(x + 2, y)];
    nxt[AT(x, y)] = 2 * c - old[AT(x, y)] + (16 * near - far - 60 * c) / 64;
}

static size_t compare(const int *slab, int nx, int ny, int steps)
{
    int NY = ny * g_size;
    std::vector<int> a((size_t)nx * NY), b(a.size()), c(a.size());
    for (int x = 0; x < nx; x++)
        for (int y = 0; y < NY; y++) {
            a[(size_t)x * NY + y] = bump(x, y, 0);
            b[(size_t)x * NY + y] = bump(x, y, 1);
        }
    for (int t = 0; t < steps; t++) {
        for (int x = 0; x < nx; x++)
            for (int y = 0; y < NY; y++) {
                auto u = [&](int xx, int yy) {
                    return xx < 0 || yy < 0 || xx >= nx || yy >= NY ? 0 : a[(size_t)xx * NY + yy];
                };
                int near = u(x - 1, y) + u(x + 1, y) + u(x, y - 1) + u(x, y + 1);
                int far = u(x - 2, y) + u(x + 2, y) + u(x, y - 2) + u(x, y + 2);
                c[(size_t)x * NY + y] = 2 * u(x, y) - b[(size_t)x * NY + y] + (16 * near - far - 60 * u(x, y)) / 64;
            }
        b.swap(a);
        a.swap(c);
    }
    size_t bad = 0;
    for (int x = 0; x < nx; x++)
        for (int y = 0; y < ny; y++)
            if (slab[AT(x, y)] != a[(size_t)x * NY + g_rank * ny + y]) bad++;
    return bad;
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &g_rank);
    MPI_Comm_size(MPI_COMM_WORLD, &g_size);
    int nx = argc > 1 ? atoi(argv[1]) : 96;
    int ny = argc > 2 ? atoi(argv[2]) : 24;          /* rows of one slab, at least 2 * W + 1 */
    int steps = argc > 3 ? atoi(argv[3]) : 6;

    int ndev;
    CU(cudaGetDeviceCount(&ndev));
    CU(cudaSetDevice(g_rank % ndev));
    ncclUniqueId uid;
    memset(&uid, 0, sizeof uid);
    if (g_rank == 0) NC(ncclGetUniqueId(&uid));
    MPI_Bcast(&uid, (int)sizeof uid, MPI_CHAR, 0, MPI_COMM_WORLD);
    ncclComm_t comm;
    NC(ncclCommInitRank(&comm, g_size, uid, g_rank));

    cudaStream_t compute, halo;
    cudaEvent_t packed, filled, t0, t1;
    CU(cudaStreamCreateWithFlags(&compute, cudaStreamNonBlocking));
    CU(cudaStreamCreateWithFlags(&halo, cudaStreamNonBlocking));
    CU(cudaEventCreateWithFlags(&packed, cudaEventDisableTiming));
    CU(cudaEventCreateWithFlags(&filled, cudaEventDisableTiming));
    CU(cudaEventCreate(&t0));
    CU(cudaEventCreate(&t1));

    size_t cells = (size_t)nx * (ny + 2 * W), box = (size_t)W * nx;
    int *cur, *old, *nxt, *outLo, *outHi, *inLo, *inHi;
    CU(cudaMalloc((void **)&cur, cells * sizeof(int)));
    CU(cudaMalloc((void **)&old, cells * sizeof(int)));
    CU(cudaMalloc((void **)&nxt, cells * sizeof(int)));
    CU(cudaMalloc((void **)&outLo, box * sizeof(int)));
    CU(cudaMalloc((void **)&outHi, box * sizeof(int)));
    CU(cudaMalloc((void **)&inLo, box * sizeof(int)));
    CU(cudaMalloc((void **)&inHi, box * sizeof(int)));
    /* walls are zero; ghosts towards a neighbour are overwritten before they are read */
    CU(cudaMemsetAsync(cur, 0, cells * sizeof(int), compute));
    CU(cudaMemsetAsync(nxt, 0, cells * sizeof(int), compute));
    CU(cudaMemsetAsync(old, 0, cells * sizeof(int), compute));
    CU(cudaMemsetAsync(inLo, 0x7a, box * sizeof(int), compute));
    CU(cudaMemsetAsync(inHi, 0x7a, box * sizeof(int), compute));

    dim3 tpb(32, 4);
    dim3 all((ny + 31) / 32, (nx + 3) / 4), mid((ny - 2 * W + 31) / 32, all.y), rim(1, all.y);
    int line = (nx + 63) / 64;
    initialize<<<all, tpb, 0, compute>>>(cur, old, nx, ny, g_rank * ny);
    CU(cudaGetLastError());
    CU(cudaStreamSynchronize(compute));
    MPI_Barrier(MPI_COMM_WORLD);

    CU(cudaEventRecord(t0, compute));
    for (int t = 0; t < steps; t++) {
        if (g_rank > 0) packRows<<<line, 64, 0, compute>>>(cur, outLo, nx, ny, 0);
        if (g_rank < g_size - 1) packRows<<<line, 64, 0, compute>>>(cur, outHi, nx, ny, ny - W);
        CU(cudaEventRecord(packed, compute));

        /* rows that need no ghost, while the halos travel */
        leap<<<mid, tpb, 0, compute>>>(cur, old, nxt, nx, ny, W, ny - W);

        CU(cudaStreamWaitEvent(halo, packed, 0));
        NC(ncclGroupStart());
        if (g_rank > 0) {
            NC(ncclSend(outLo, box, ncclInt32, g_rank - 1, comm, halo));
            NC(ncclRecv(inLo, box, ncclInt32, g_rank - 1, comm, halo));
        }
        if (g_rank < g_size - 1) {
            NC(ncclSend(outHi, box, ncclInt32, g_rank + 1, comm, halo));
            NC(ncclRecv(inHi, box, ncclInt32, g_rank + 1, comm, halo));
        }
        NC(ncclGroupEnd());
        CU(cudaEventRecord(filled, halo));

        CU(cudaStreamWaitEvent(compute, filled, 0));
        if (g_rank > 0) unpackRows<<<line, 64, 0, compute>>>(cur, inLo, nx, ny, -W);
        if (g_rank < g_size - 1) unpackRows<<<line, 64, 0, compute>>>(cur, inHi, nx, ny, ny);
        leap<<<rim, tpb, 0, compute>>>(cur, old, nxt, nx, ny, 0, W);
        leap<<<rim, tpb, 0, compute>>>(cur, old, nxt, nx, ny, ny - W, ny);
        CU(cudaGetLastError());

        int *spare = old;
        old = cur;
        cur = nxt;
        nxt = spare;
    }
    CU(cudaEventRecord(t1, compute));
    CU(cudaEventSynchronize(t1));
    float ms;
    CU(cudaEventElapsedTime(&ms, t0, t1));

    std::vector<int> slab(cells);
    CU(cudaMemcpy(slab.data(), cur, cells * sizeof(int), cudaMemcpyDeviceToHost));
    size_t bad = compare(slab.data(), nx, ny, steps);
    if (bad) fprintf(stderr, "rank %d: %zu cells differ\n", g_rank, bad);
    printf("Time: %f ms\n", ms);
    printf("Verification: %s\n", bad ? "FAIL" : "PASS");

    int *arrays[] = {cur, old, nxt, outLo, outHi, inLo, inHi};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) CU(cudaFree(arrays[i]));
    CU(cudaEventDestroy(packed));
    CU(cudaEventDestroy(filled));
    CU(cudaEventDestroy(t0));
    CU(cudaEventDestroy(t1));
    CU(cudaStreamDestroy(halo));
    CU(cudaStreamDestroy(compute));
    NC(ncclCommDestroy(comm));
    MPI_Finalize();
    return bad != 0;
}
