// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// A typed front end to the collectives: the NCCL type comes from a trait of the element type and the reduction is a
// template argument. Exercised with AllReduce, AllGather and ReduceScatter over integers and floating point.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <type_traits>
#include <vector>

#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#define TRY(expr)                                                                     \
    do {                                                                              \
        const int rc_ = static_cast<int>(expr);                                       \
        if (rc_ != 0) {                                                               \
            std::fprintf(stderr, "%s failed with %d (line %d)\n", #expr, rc_, __LINE__); \
            MPI_Abort(MPI_COMM_WORLD, rc_);                                           \
        }                                                                             \
    } while (false)

template <typename T> struct nccl_type;
template <> struct nccl_type<std::int8_t>   { static constexpr ncclDataType_t value = ncclInt8; };
template <> struct nccl_type<std::int32_t>  { static constexpr ncclDataType_t value = ncclInt32; };
template <> struct nccl_type<std::uint64_t> { static constexpr ncclDataType_t value = ncclUint64; };
template <> struct nccl_type<__half>        { static constexpr ncclDataType_t value = ncclFloat16; };
template <> struct nccl_type<float>         { static constexpr ncclDataType_t value = ncclFloat32; };
template <> struct nccl_type<double>        { static constexpr ncclDataType_t value = ncclFloat64; };

template <typename T> inline constexpr ncclDataType_t nccl_type_v = nccl_type<T>::value;

struct Team {
    int rank = 0, size = 1;
    ncclComm_t comm = nullptr;
    cudaStream_t stream = nullptr;
};

// ---- the typed helpers

template <typename T, ncclRedOp_t Op>
void all_reduce(const T* in, T* out, std::size_t count, const Team& team)
{
    TRY(ncclAllReduce(in, out, count, nccl_type_v<T>, Op, team.comm, team.stream));
}

template <typename T, ncclRedOp_t Op>
void reduce_scatter(const T* in, T* out, std::size_t count_per_rank, const Team& team)
{
    TRY(ncclReduceScatter(in, out, count_per_rank, nccl_type_v<T>, Op, team.comm, team.stream));
}

template <typename T>
void all_gather(const T* in, T* out, std::size_t count_per_rank, const Team& team)
{
    TRY(ncclAllGather(in, out, count_per_rank, nccl_type_v<T>, team.comm, team.stream));
}

// ---- inputs: small integers (powers of two for products), exact in every type used here

template <ncclRedOp_t Op>
__host__ __device__ inline int sample(std::uint64_t index, int rank, int round)
{
    std::uint64_t h = index * 0xd6e8feb86659fd93ull + (static_cast<std::uint64_t>(rank) << 48) +
                      (static_cast<std::uint64_t>(round) << 56) + 0x632be59bd9b4e019ull;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ull;
    h ^= h >> 29;
    if constexpr (Op == ncclProd) return 1 + static_cast<int>(h >> 17 & 1);
    else return static_cast<int>((h >> 17) % 15);  // 8 ranks of int8 do not overflow
}

template <ncclRedOp_t Op>
std::int64_t fold(std::int64_t a, std::int64_t b)
{
    if constexpr (Op == ncclSum) return a + b;
    else if constexpr (Op == ncclProd) return a * b;
    else if constexpr (Op == ncclMax) return std::max(a, b);
    else return std::min(a, b);
}

template <ncclRedOp_t Op>
std::int64_t folded(std::uint64_t index, int ranks, int round)
{
    std::int64_t value = sample<Op>(index, 0, round);
    for (int r = 1; r < ranks; r++) value = fold<Op>(value, sample<Op>(index, r, round));
    return value;
}

template <typename T, ncclRedOp_t Op>
__global__ void generate(T* out, std::size_t n, int rank, int round)
{
    for (std::size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += std::size_t(gridDim.x) * blockDim.x)
        out[i] = static_cast<T>(static_cast<float>(sample<Op>(i, rank, round)));
}

template <typename T>
std::int64_t as_integer(T value)
{
    if constexpr (std::is_same_v<T, __half>) return static_cast<std::int64_t>(__half2float(value));
    else return static_cast<std::int64_t>(value);
}

// ---- one type under one reduction: all three collectives, then every element checked

template <typename T, ncclRedOp_t Op>
std::size_t exercise(std::size_t piece, int round, const Team& team, double& milliseconds)
{
    const std::size_t whole = piece * static_cast<std::size_t>(team.size);
    T *source, *reduced, *gathered, *scattered;
    TRY(cudaMalloc(&source, whole * sizeof(T)));
    TRY(cudaMalloc(&reduced, whole * sizeof(T)));
    TRY(cudaMalloc(&gathered, whole * sizeof(T)));
    TRY(cudaMalloc(&scattered, piece * sizeof(T)));
    TRY(cudaMemsetAsync(reduced, 0x7f, whole * sizeof(T), team.stream));
    TRY(cudaMemsetAsync(gathered, 0x7f, whole * sizeof(T), team.stream));
    TRY(cudaMemsetAsync(scattered, 0x7f, piece * sizeof(T), team.stream));
    generate<T, Op><<<8, 64, 0, team.stream>>>(source, whole, team.rank, round);
    TRY(cudaGetLastError());
    TRY(cudaStreamSynchronize(team.stream));
    TRY(MPI_Barrier(MPI_COMM_WORLD));

    const auto begin = std::chrono::steady_clock::now();
    all_reduce<T, Op>(source, reduced, whole, team);
    reduce_scatter<T, Op>(source, scattered, piece, team);
    all_gather<T>(scattered, gathered, piece, team);
    TRY(cudaStreamSynchronize(team.stream));
    milliseconds += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();

    std::vector<T> got_reduced(whole), got_gathered(whole), got_scattered(piece);
    TRY(cudaMemcpy(got_reduced.data(), reduced, whole * sizeof(T), cudaMemcpyDeviceToHost));
    TRY(cudaMemcpy(got_gathered.data(), gathered, whole * sizeof(T), cudaMemcpyDeviceToHost));
    TRY(cudaMemcpy(got_scattered.data(), scattered, piece * sizeof(T), cudaMemcpyDeviceToHost));
    std::size_t bad = 0;
    for (std::size_t i = 0; i < whole; i++) {
        const std::int64_t want = folded<Op>(i, team.size, round);
        bad += as_integer(got_reduced[i]) != want;
        bad += as_integer(got_gathered[i]) != want;
    }
    for (std::size_t i = 0; i < piece; i++)
        bad += as_integer(got_scattered[i]) != folded<Op>(static_cast<std::size_t>(team.rank) * piece + i, team.size, round);

    TRY(cudaFree(source));
    TRY(cudaFree(reduced));
    TRY(cudaFree(gathered));
    TRY(cudaFree(scattered));
    return bad;
}

int main(int argc, char* argv[])
{
    TRY(MPI_Init(&argc, &argv));
    Team team;
    TRY(MPI_Comm_rank(MPI_COMM_WORLD, &team.rank));
    TRY(MPI_Comm_size(MPI_COMM_WORLD, &team.size));
    int gpus = 0;
    TRY(cudaGetDeviceCount(&gpus));
    TRY(cudaSetDevice(team.rank % gpus));
    ncclUniqueId id;
    if (team.rank == 0) TRY(ncclGetUniqueId(&id));
    TRY(MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD));
    TRY(ncclCommInitRank(&team.comm, team.size, id, team.rank));
    TRY(cudaStreamCreate(&team.stream));

    const std::size_t piece = argc > 1 ? std::strtoull(argv[1], nullptr, 0) : 1021;
    double ms = 0;
    std::size_t bad = 0;
    bad += exercise<std::int32_t, ncclSum>(piece, 0, team, ms);
    bad += exercise<float, ncclSum>(piece, 1, team, ms);
    bad += exercise<double, ncclProd>(piece, 2, team, ms);
    bad += exercise<__half, ncclSum>(piece, 3, team, ms);
    bad += exercise<std::uint64_t, ncclMax>(piece, 4, team, ms);
    bad += exercise<std::int8_t, ncclMin>(piece, 5, team, ms);

    std::printf("Time: %.4f ms\n", ms);
    std::printf("Verification: %s\n", bad == 0 ? "PASS" : "FAIL");

    TRY(cudaStreamDestroy(team.stream));
    TRY(ncclCommDestroy(team.comm));
    TRY(MPI_Finalize());
    return bad == 0 ? 0 : 1;
}
