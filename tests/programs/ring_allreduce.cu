// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Text-book ring all-reduce (reduce-scatter, then all-gather) out of point-to-point messages, for several element types.
// usage: ring_allreduce [elements]

#include <mpi.h>
#include <cuda_runtime.h>
#include <nccl.h>
#include <cstdio>
#include <cstdlib>
#include <cstdint>
#include <vector>
#include <algorithm>
using std::vector;

#define CK(call)                                                                      \
    do {                                                                              \
        if (int err__ = static_cast<int>(call)) {                                     \
            std::fprintf(stderr, "%s:%d %s = %d\n", __FILE__, __LINE__, #call, err__); \
            std::exit(err__);                                                         \
        }                                                                             \
    } while (0)

template <typename T> struct Wire;
template <> struct Wire<int32_t>  { static constexpr ncclDataType_t type = ncclInt32;   static constexpr const char *name = "int32"; };
template <> struct Wire<uint64_t> { static constexpr ncclDataType_t type = ncclUint64;  static constexpr const char *name = "uint64"; };
template <> struct Wire<double>   { static constexpr ncclDataType_t type = ncclFloat64; static constexpr const char *name = "double"; };

// gradient of parameter i on a rank: small and whole, so that the order of the additions does not matter
template <typename T>
__host__ __device__ T gradient(int rank, size_t i, int round)
{
    uint64_t h = (i + 1) * 0xa0761d6478bd642full + uint64_t(rank + 1) * 0xe7037ed1a0b428dbull + uint64_t(round) * 0x8ebc6af09c88c6e3ull;
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9ull;
    h ^= h >> 32;
    return T(h % 100003);
}

template <typename T>
__global__ void fill(T *g, size_t n, int rank, int round)
{
    for (size_t i = blockIdx.x * size_t(blockDim.x) + threadIdx.x; i < n; i += size_t(gridDim.x) * blockDim.x)
        g[i] = gradient<T>(rank, i, round);
}

template <typename T>
__global__ void accumulate(T *into, const T *from, size_t n)
{
    const size_t i = blockIdx.x * size_t(blockDim.x) + threadIdx.x;
    if (i < n)
        into[i] += from[i];
}

// piece c of n elements cut into p pieces; the first n % p pieces are one longer
struct Pieces {
    size_t n;
    int p;
    size_t begin(int c) const { return n / p * c + std::min<size_t>(c, n % p); }
    size_t length(int c) const { return n / p + (size_t(c) < n % p ? 1 : 0); }
};

template <typename T>
void ring_all_reduce(T *data, T *inbox, size_t n, int rank, int p, ncclComm_t comm, cudaStream_t stream)
{
    const Pieces pieces{n, p};
    const int to = (rank + 1) % p, from = (rank - 1 + p) % p;

    // after step s, piece (rank - s - 1) holds the sum of s + 2 ranks
    for (int s = 0; s < p - 1; s++) {
        const int out = (rank - s + p) % p;
        const int in = (rank - s - 1 + p) % p;
        CK(ncclGroupStart());
        CK(ncclSend(data + pieces.begin(out), pieces.length(out), Wire<T>::type, to, comm, stream));
        CK(ncclRecv(inbox, pieces.length(in), Wire<T>::type, from, comm, stream));
        CK(ncclGroupEnd());

        T *target = data + pieces.begin(in);
        const T *addend = inbox;
        size_t len = pieces.length(in);
        if (len > 0) {
            void *args[] = {&target, &addend, &len};
            CK(cudaLaunchKernel(reinterpret_cast<const void *>(&accumulate<T>), dim3(unsigned((len + 127) / 128)), dim3(128), args, 0, stream));
        }
    }
    // the finished pieces go round once more
    for (int s = 0; s < p - 1; s++) {
        const int out = (rank + 1 - s + p) % p;
        const int in = (rank - s + p) % p;
        CK(ncclGroupStart());
        CK(ncclSend(&data[pieces.begin(out)], pieces.length(out), Wire<T>::type, to, comm, stream));
        CK(ncclRecv(&data[pieces.begin(in)], pieces.length(in), Wire<T>::type, from, comm, stream));
        CK(ncclGroupEnd());
    }
}

template <typename T>
bool exercise(size_t n, int rank, int p, ncclComm_t comm, cudaStream_t stream, double &ms)
{
    const int rounds = 2;
    const size_t guard = 16;
    T *data = nullptr, *inbox = nullptr;
    CK(cudaMalloc((void **)&data, (n + guard) * sizeof(T)));
    CK(cudaMalloc((void **)&inbox, (n / p + 1) * sizeof(T)));
    cudaEvent_t a, b;
    CK(cudaEventCreate(&a));
    CK(cudaEventCreate(&b));

    size_t wrong = 0;
    vector<T> sum(n + guard);
    for (int round = 0; round < rounds; round++) {
        CK(cudaMemsetAsync(data, 0x3c, (n + guard) * sizeof(T), stream));
        CK(cudaMemsetAsync(inbox, 0xff, (n / p + 1) * sizeof(T), stream));
        fill<T><<<24, 128, 0, stream>>>(data, n, rank, round);
        CK(cudaStreamSynchronize(stream));
        MPI_Barrier(MPI_COMM_WORLD);

        CK(cudaEventRecord(a, stream));
        ring_all_reduce(data, inbox, n, rank, p, comm, stream);
        CK(cudaEventRecord(b, stream));
        CK(cudaEventSynchronize(b));
        float t;
        CK(cudaEventElapsedTime(&t, a, b));
        ms += t;

        CK(cudaMemcpy(sum.data(), data, sum.size() * sizeof(T), cudaMemcpyDeviceToHost));
        for (size_t i = 0; i < n; i++) {
            T want = 0;
            for (int r = 0; r < p; r++)
                want += gradient<T>(r, i, round);
            wrong += !(sum[i] == want);
        }
        const unsigned char *tail = reinterpret_cast<const unsigned char *>(&sum[n]);
        wrong += size_t(std::count_if(tail, tail + guard * sizeof(T), [](unsigned char c) { return c != 0x3c; }));
    }
    if (wrong)
        std::fprintf(stderr, "rank %d: %zu wrong sums of type %s\n", rank, wrong, Wire<T>::name);

    CK(cudaEventDestroy(a));
    CK(cudaEventDestroy(b));
    CK(cudaFree(inbox));
    CK(cudaFree(data));
    return wrong == 0;
}

int main(int argc, char **argv)
{
    CK(MPI_Init(&argc, &argv));
    int rank, p, gpus;
    CK(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
    CK(MPI_Comm_size(MPI_COMM_WORLD, &p));
    CK(cudaGetDeviceCount(&gpus));
    CK(cudaSetDevice(rank % gpus));

    ncclUniqueId id;
    if (rank == 0)
        CK(ncclGetUniqueId(&id));
    CK(MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD));
    ncclComm_t comm;
    CK(ncclCommInitRank(&comm, p, id, rank));
    cudaStream_t stream;
    CK(cudaStreamCreate(&stream));

    // not a multiple of the number of ranks, as a rule
    const size_t n = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 5003;
    double ms = 0;
    bool good = exercise<int32_t>(n, rank, p, comm, stream, ms);
    good &= exercise<uint64_t>(n / 2, rank, p, comm, stream, ms);
    good &= exercise<double>(n / 3, rank, p, comm, stream, ms);

    std::printf("Time: %.3f ms\n", ms);
    std::printf("Verification: %s\n", good ? "PASS" : "FAIL");

    CK(cudaStreamDestroy(stream));
    CK(ncclCommDestroy(comm));
    CK(MPI_Finalize());
    return good ? 0 : 1;
}
