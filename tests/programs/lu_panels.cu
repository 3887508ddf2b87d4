// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Right-looking blocked LU (no pivoting, diagonally dominant matrix), block columns dealt out cyclically: panel K
// lives on rank K mod P. In step K its owner factors it and broadcasts L; everybody then updates his own panels.
//
// usage: lu_panels [N] [NB] [NREP]     (NB need not divide N; the last panel is then narrower)

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <mpi.h>
#include <cuda_runtime.h>
#include <nccl.h>

/* ---- error handling: print and take everybody down ---------------------------------------------------------- */
static void cuda_ok(cudaError_t rc, int line)
{
    if (rc == cudaSuccess) return;
    fprintf(stderr, "line %d: CUDA: %s\n", line, cudaGetErrorString(rc));
    MPI_Abort(MPI_COMM_WORLD, 3);
}
static void nccl_ok(ncclResult_t rc, int line)
{
    if (rc == ncclSuccess) return;
    fprintf(stderr, "line %d: NCCL: %s\n", line, ncclGetErrorString(rc));
    MPI_Abort(MPI_COMM_WORLD, 4);
}
#define CU(x) cuda_ok((x), __LINE__)
#define NC(x) nccl_ok((x), __LINE__)

#define NTHREADS 64

/* ---- matrix element (I,J) of repetition REP, column major everywhere ---------------------------------------- */
__host__ __device__ static double elem(int I, int J, int N, int REP)
{
    unsigned long long z = (unsigned long long)J * N + I + 0x632be59bd9b4e019ull * (REP + 1);
    z *= 0xd6e8feb86659fd93ull; z ^= z >> 32;
    z *= 0xd6e8feb86659fd93ull; z ^= z >> 32;
    double v = (double)(z & 0xfffffu) / 524288.0 - 1.0;
    return I == J ? v + 2.0 * N : v;
}

__global__ void gen_panel(double *A, int N, int J0, int WIDTH, int REP)
{
    int I = blockIdx.x * blockDim.x + threadIdx.x;
    int J = blockIdx.y;
    if (I < N && J < WIDTH) A[I + (size_t)J * N] = elem(I, J0 + J, N, REP);
}

/* unblocked LU of the panel's rows K0..N-1; a single thread block */
__global__ void factor_panel(double *A, int N, int K0, int WIDTH)
{
    for (int J = 0; J < WIDTH; J++) {
        double PIV = A[K0 + J + (size_t)J * N];
        for (int I = K0 + J + 1 + threadIdx.x; I < N; I += blockDim.x) {
            double L = A[I + (size_t)J * N] / PIV;
            A[I + (size_t)J * N] = L;
            for (int C = J + 1; C < WIDTH; C++) A[I + (size_t)C * N] -= L * A[K0 + J + (size_t)C * N];
        }
        __syncthreads();
    }
}

__global__ void pack_panel(const double *A, double *BUF, int N, int K0, int WIDTH)
{
    int ROWS = N - K0;
    for (int T = blockIdx.x * blockDim.x + threadIdx.x; T < ROWS * WIDTH; T += gridDim.x * blockDim.x)
        BUF[T] = A[K0 + T % ROWS + (size_t)(T / ROWS) * N];
}

/* one block per trailing local column: forward substitution on the block row, then the rank-WIDTH update below it */
__global__ void update_columns(double *A, const double *L, int N, int K0, int WIDTH)
{
    double *COL = A + (size_t)blockIdx.x * N;
    int ROWS = N - K0;
    for (int J = 0; J < WIDTH; J++) {
        double U = COL[K0 + J];
        for (int I = J + 1 + threadIdx.x; I < ROWS; I += blockDim.x) COL[K0 + I] -= L[I + (size_t)J * ROWS] * U;
        __syncthreads();
    }
}

int main(int argc, char **argv)
{
    int ME, P, NGPU;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &ME);
    MPI_Comm_size(MPI_COMM_WORLD, &P);

    const int N = argc > 1 ? atoi(argv[1]) : 92;
    const int NB = argc > 2 ? atoi(argv[2]) : 8;
    const int NREP = argc > 3 ? atoi(argv[3]) : 2;
    const int NPANEL = (N + NB - 1) / NB;

    CU(cudaGetDeviceCount(&NGPU));
    CU(cudaSetDevice(ME % NGPU));
    ncclUniqueId ID;
    ncclComm_t COMM;
    if (ME == 0) NC(ncclGetUniqueId(&ID));
    MPI_Bcast(&ID, sizeof ID, MPI_BYTE, 0, MPI_COMM_WORLD);
    NC(ncclCommInitRank(&COMM, P, ID, ME));

    /* local panels lie one after the other; only the globally last one can be narrow, and it is then my last, too */
    int NLOC = 0, NCOLS = 0;
    for (int K = ME; K < NPANEL; K += P) {
        NLOC++;
        NCOLS += (K == NPANEL - 1) ? N - K * NB : NB;
    }
    double *A, *SENDBUF, *RECVBUF;
    CU(cudaMalloc((void **)&A, sizeof(double) * N * (NCOLS > 0 ? NCOLS : 1)));
    CU(cudaMalloc((void **)&SENDBUF, sizeof(double) * N * NB));
    CU(cudaMalloc((void **)&RECVBUF, sizeof(double) * N * NB));
    double *HOST = (double *)malloc(sizeof(double) * N * (NCOLS > 0 ? NCOLS : 1));
    double *REF = (double *)malloc(sizeof(double) * N * N);

    cudaStream_t Q;
    cudaEvent_t BEG, END;
    CU(cudaStreamCreate(&Q));
    CU(cudaEventCreate(&BEG));
    CU(cudaEventCreate(&END));

    double MSEC = 0.0;
    long NBAD = 0;
    for (int REP = 0; REP < NREP; REP++) {
        for (int LP = 0; LP < NLOC; LP++) {
            int J0 = (ME + LP * P) * NB;
            int WIDTH = J0 + NB > N ? N - J0 : NB;
            dim3 GRID((N + NTHREADS - 1) / NTHREADS, WIDTH);
            gen_panel<<<GRID, NTHREADS, 0, Q>>>(A + (size_t)LP * NB * N, N, J0, WIDTH, REP);
        }
        CU(cudaMemsetAsync(SENDBUF, 0xff, sizeof(double) * N * NB, Q));
        CU(cudaMemsetAsync(RECVBUF, 0xff, sizeof(double) * N * NB, Q));
        CU(cudaStreamSynchronize(Q));
        MPI_Barrier(MPI_COMM_WORLD);

        CU(cudaEventRecord(BEG, Q));
        for (int K = 0; K < NPANEL; K++) {
            const int OWNER = K % P;
            const int K0 = K * NB;
            const int WIDTH = K0 + NB > N ? N - K0 : NB;
            const size_t COUNT = (size_t)(N - K0) * WIDTH;
            if (ME == OWNER) {
                double *PANEL = A + (size_t)(K / P) * NB * N;
                factor_panel<<<1, NTHREADS, 0, Q>>>(PANEL, N, K0, WIDTH);
                pack_panel<<<4, NTHREADS, 0, Q>>>(PANEL, SENDBUF, N, K0, WIDTH);
            }
            NC(ncclBroadcast(SENDBUF, RECVBUF, COUNT, ncclDouble, OWNER, COMM, Q));

            /* my first panel to the right of K */
            const int FIRST = ME > K ? 0 : (K - ME) / P + 1;
            const int TRAILING = NCOLS - FIRST * NB;
            if (FIRST < NLOC && TRAILING > 0)
                update_columns<<<TRAILING, NTHREADS, 0, Q>>>(A + (size_t)FIRST * NB * N, RECVBUF, N, K0, WIDTH);
        }
        CU(cudaGetLastError());
        CU(cudaEventRecord(END, Q));
        CU(cudaEventSynchronize(END));
        float T;
        CU(cudaEventElapsedTime(&T, BEG, END));
        MSEC += T;

        /* ---- check: the whole factorisation on the host, then my columns against it ---- */
        if (NCOLS > 0) CU(cudaMemcpy(HOST, A, sizeof(double) * N * NCOLS, cudaMemcpyDeviceToHost));
        for (int J = 0; J < N; J++)
            for (int I = 0; I < N; I++) REF[I + (size_t)J * N] = elem(I, J, N, REP);
        for (int K = 0; K < N; K++) {
            for (int I = K + 1; I < N; I++) REF[I + (size_t)K * N] /= REF[K + (size_t)K * N];
            for (int J = K + 1; J < N; J++)
                for (int I = K + 1; I < N; I++) REF[I + (size_t)J * N] -= REF[I + (size_t)K * N] * REF[K + (size_t)J * N];
        }
        for (int LP = 0; LP < NLOC; LP++)
            for (int J = 0; J < NB && LP * NB + J < NCOLS; J++)
                for (int I = 0; I < N; I++) {
                    double WANT = REF[I + (size_t)((ME + LP * P) * NB + J) * N];
                    double GOT = HOST[I + (size_t)(LP * NB + J) * N];
                    if (!(fabs(GOT - WANT) <= 1e-11 * (1.0 + fabs(WANT)))) NBAD++;
                }
    }

    printf("Time: %f ms\n", MSEC / NREP);
    if (NBAD) fprintf(stderr, "rank %d: %ld elements of L\\U differ\n", ME, NBAD);
    printf("Verification: %s\n", NBAD == 0 ? "PASS" : "FAIL");

    free(REF);
    free(HOST);
    CU(cudaEventDestroy(END));
    CU(cudaEventDestroy(BEG));
    CU(cudaStreamDestroy(Q));
    CU(cudaFree(RECVBUF));
    CU(cudaFree(SENDBUF));
    CU(cudaFree(A));
    NC(ncclCommDestroy(COMM));
    MPI_Finalize();
    return NBAD == 0 ? 0 : 1;
}
