// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// The middle of a six-step FFT: an N1 x N2 complex matrix, distributed by rows, is multiplied by twiddle factors and
// transposed across all ranks.  Quarter-turn twiddles keep everything exact, so the check is for equality.

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#include <chrono>
#include <complex>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <vector>

#define cudaSafe(stmt) fft::check((stmt) == cudaSuccess, #stmt, __LINE__)
#define ncclSafe(stmt) fft::check((stmt) == ncclSuccess, #stmt, __LINE__)

namespace fft
{

inline void check(bool good, const char *statement, int line)
{
    if (!good)
    {
        std::cerr << "line " << line << ": " << statement << " failed\n";
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

// Sizes that follow from the distribution. Rank r owns rows [r*n1, (r+1)*n1) of the matrix before and rows
// [r*n2, (r+1)*n2) of the transposed matrix after the exchange.
struct Plan
{
    int ranks, me;
    int n1, n2;

    int N1() const { return n1 * ranks; }
    int N2() const { return n2 * ranks; }
    size_t tile() const { return size_t(n1) * n2; }
    size_t tileStride() const { return (tile() + 15) / 16 * 16 + 16; }   // tiles are padded in the message buffers
    size_t local() const { return tile() * ranks; }
    size_t message() const { return tileStride() * ranks; }
};

__host__ __device__ inline float2 sample(int row, int col, int repetition)
{
    uint32_t a = row * 0x1f123bb5u + col * 0x5f356495u + repetition * 0x6c8e9cf5u + 0x5bf03635u;
    a = (a ^ (a >> 16)) * 0x7feb352du;
    a = (a ^ (a >> 15)) * 0x846ca68bu;
    a ^= a >> 16;
    return make_float2(float(a & 0xffff) - 32768.0f, float(a >> 16) - 32768.0f);
}

// z * i^(row * col)
__host__ __device__ inline float2 twiddle(float2 z, int row, int col)
{
    switch ((row * col) & 3)
    {
        case 0: return z;
        case 1: return make_float2(-z.y, z.x);
        case 2: return make_float2(-z.x, -z.y);
        default: return make_float2(z.y, -z.x);
    }
}

__global__ void generate(float2 *a, int n1, int N2, int firstRow, int repetition)
{
    const int col = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < n1 && col < N2) a[size_t(row) * N2 + col] = sample(firstRow + row, col, repetition);
}

// Tile p of the message buffer: columns [p*n2, (p+1)*n2), already transposed.  Padded shared memory tile.
template <int T>
__global__ void pack(const float2 *__restrict__ a, float2 *__restrict__ out, int n1, int n2, int N2, size_t tileStride, int firstRow)
{
    __shared__ float2 tile[T][T + 1];
    const int peer = blockIdx.z;
    int c = blockIdx.x * T + threadIdx.x;
    int r = blockIdx.y * T + threadIdx.y;
    if (r < n1 && c < n2)
    {
        const int col = peer * n2 + c;
        tile[threadIdx.y][threadIdx.x] = twiddle(a[size_t(r) * N2 + col], firstRow + r, col);
    }
    __syncthreads();
    r = blockIdx.y * T + threadIdx.x;
    c = blockIdx.x * T + threadIdx.y;
    if (r < n1 && c < n2) out[peer * tileStride + size_t(c) * n1 + r] = tile[threadIdx.x][threadIdx.y];
}

// Tile p holds n2 rows of n1 numbers that belong to columns [p*n1, (p+1)*n1) of the transposed matrix.
__global__ void unpack(const float2 *__restrict__ in, float2 *__restrict__ b, int n1, int n2, int N1, size_t tileStride)
{
    const size_t i = blockIdx.x * size_t(blockDim.x) + threadIdx.x;
    if (i >= size_t(n2) * N1) return;
    const int row = int(i / N1), col = int(i % N1);
    const int peer = col / n1;
    b[i] = in[peer * tileStride + size_t(row) * n1 + col % n1];
}

void exchange(const Plan &plan, const float2 *outgoing, float2 *incoming, ncclComm_t comm, cudaStream_t stream)
{
    const float *out = reinterpret_cast<const float *>(outgoing);
    float *in = reinterpret_cast<float *>(incoming);
    const size_t stride = 2 * plan.tileStride(), count = 2 * plan.tile();

    ncclSafe(ncclGroupStart());
    for (int hop = 0; hop < plan.ranks; hop++)
    {
        const int dst = (plan.me + hop) % plan.ranks;
        const int src = (plan.me - hop + plan.ranks) % plan.ranks;
        ncclSafe(ncclSend(out + dst * stride, count, ncclFloat, dst, comm, stream));
        ncclSafe(ncclRecv(in + src * stride, count, ncclFloat, src, comm, stream));
    }
    ncclSafe(ncclGroupEnd());
}

void transpose(const Plan &plan, const float2 *a, float2 *b, float2 *outgoing, float2 *incoming, ncclComm_t comm, cudaStream_t stream)
{
    constexpr int T = 8;
    const dim3 threads(T, T);
    const dim3 blocks((plan.n2 + T - 1) / T, (plan.n1 + T - 1) / T, plan.ranks);
    pack<T><<<blocks, threads, 0, stream>>>(a, outgoing, plan.n1, plan.n2, plan.N2(), plan.tileStride(), plan.me * plan.n1);
    exchange(plan, outgoing, incoming, comm, stream);
    unpack<<<unsigned((plan.local() + 127) / 128), 128, 0, stream>>>(incoming, b, plan.n1, plan.n2, plan.N1(), plan.tileStride());
    cudaSafe(cudaGetLastError());
}

bool correct(const Plan &plan, const float2 *b, const float2 *incoming, int repetition)
{
    std::vector<std::complex<float>> result(plan.local());
    cudaSafe(cudaMemcpy(result.data(), b, plan.local() * sizeof(float2), cudaMemcpyDeviceToHost));
    std::vector<uint64_t> raw(plan.message());
    cudaSafe(cudaMemcpy(raw.data(), incoming, plan.message() * sizeof(float2), cudaMemcpyDeviceToHost));

    bool good = true;
    for (int row = 0; row < plan.n2; row++)
        for (int col = 0; col < plan.N1(); col++)
        {
            const int oldRow = col, oldCol = plan.me * plan.n2 + row;
            const float2 z = twiddle(sample(oldRow, oldCol, repetition), oldRow, oldCol);
            good = good && result[size_t(row) * plan.N1() + col] == std::complex<float>(z.x, z.y);
        }
    for (int p = 0; p < plan.ranks; p++)          // the padding between the tiles is still poison
        for (size_t i = plan.tile(); i < plan.tileStride(); i++)
            good = good && raw[p * plan.tileStride() + i] == ~uint64_t(0);
    return good;
}

} // namespace fft

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    fft::Plan plan{};
    MPI_Comm_rank(MPI_COMM_WORLD, &plan.me);
    MPI_Comm_size(MPI_COMM_WORLD, &plan.ranks);
    plan.n1 = argc > 1 ? std::stoi(argv[1]) : 10;
    plan.n2 = argc > 2 ? std::stoi(argv[2]) : 21;

    int deviceCount = 0;
    cudaSafe(cudaGetDeviceCount(&deviceCount));
    cudaSafe(cudaSetDevice(plan.me % deviceCount));
    ncclUniqueId token;
    if (plan.me == 0) ncclSafe(ncclGetUniqueId(&token));
    MPI_Bcast(&token, NCCL_UNIQUE_ID_BYTES, MPI_CHAR, 0, MPI_COMM_WORLD);
    ncclComm_t comm;
    ncclSafe(ncclCommInitRank(&comm, plan.ranks, token, plan.me));
    cudaStream_t stream;
    cudaSafe(cudaStreamCreate(&stream));

    float2 *a, *b, *outgoing, *incoming;
    cudaSafe(cudaMalloc(&a, plan.local() * sizeof(float2)));
    cudaSafe(cudaMalloc(&b, plan.local() * sizeof(float2)));
    cudaSafe(cudaMalloc(&outgoing, plan.message() * sizeof(float2)));
    cudaSafe(cudaMalloc(&incoming, plan.message() * sizeof(float2)));

    bool good = true;
    std::chrono::duration<double, std::milli> spent{0};
    for (int repetition = 0; repetition < 3; repetition++)
    {
        const dim3 threads(32, 4), blocks((plan.N2() + 31) / 32, (plan.n1 + 3) / 4);
        fft::generate<<<blocks, threads, 0, stream>>>(a, plan.n1, plan.N2(), plan.me * plan.n1, repetition);
        cudaSafe(cudaGetLastError());
        cudaSafe(cudaMemsetAsync(b, 0xff, plan.local() * sizeof(float2), stream));
        cudaSafe(cudaMemsetAsync(incoming, 0xff, plan.message() * sizeof(float2), stream));
        cudaSafe(cudaStreamSynchronize(stream));
        MPI_Barrier(MPI_COMM_WORLD);

        const auto begin = std::chrono::steady_clock::now();
        fft::transpose(plan, a, b, outgoing, incoming, comm, stream);
        cudaSafe(cudaStreamSynchronize(stream));
        spent += std::chrono::steady_clock::now() - begin;
        good = fft::correct(plan, b, incoming, repetition) && good;
    }

    std::ostringstream report;
    report << std::fixed << std::setprecision(4) << "Time: " << spent.count() / 3 << " ms\n"
           << "Verification: " << (good ? "PASS" : "FAIL") << "\n";
    std::cout << report.str();

    for (float2 *p : {a, b, outgoing, incoming}) cudaSafe(cudaFree(p));
    cudaSafe(cudaStreamDestroy(stream));
    ncclSafe(ncclCommDestroy(comm));
    MPI_Finalize();
    return good ? 0 : 1;
}
