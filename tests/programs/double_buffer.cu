// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Streaming shuffle: records come from pinned host memory chunk by chunk, are encoded, exchanged all-to-all and
// decoded back to the host. Three streams work on two slots, so that copy-in, exchange and copy-out of neighbouring
// chunks overlap.

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#define HIP_STYLE_ASSERT(call, success)                                                    \
    if (auto rc = (call); rc != (success)) {                                               \
        std::fprintf(stderr, "%s returned %d (line %d)\n", #call, int(rc), __LINE__);      \
        MPI_Abort(MPI_COMM_WORLD, 9);                                                      \
    } else                                                                                 \
        (void)0
#define CUDA(call) HIP_STYLE_ASSERT(call, cudaSuccess)
#define NCCL(call) HIP_STYLE_ASSERT(call, ncclSuccess)

using record = std::uint64_t;

constexpr int      kSlots = 2;
constexpr unsigned kBlock = 128;

inline record makeRecord(int pass, int rank, std::size_t position)
{
    record x = (record(pass + 1) << 56) ^ (record(rank) << 40) ^ record(position);
    x ^= x >> 31;
    x *= 0x7fb5d329728ea185ull;
    x ^= x >> 27;
    x *= 0x81dadef4bc2dd44dull;
    return x ^ (x >> 33);
}

// The wire format: a rotation keyed with the sender, and the decoder stirs the receiver into it.
__host__ __device__ inline record encodeOne(record v, int sender)
{
    const int k = 1 + sender % 63;
    return ((v << k) | (v >> (64 - k))) + 0x9e3779b97f4a7c15ull;
}
__host__ __device__ inline record decodeOne(record v, int receiver)
{
    return (v ^ 0xa5a5a5a5a5a5a5a5ull) * (2ull * unsigned(receiver) + 3ull);
}

__global__ void encode(const record* in, record* out, std::size_t n, int sender)
{
    const std::size_t i = std::size_t(blockIdx.x) * kBlock + threadIdx.x;
    if (i < n) out[i] = encodeOne(in[i], sender);
}

__global__ void decode(const record* in, record* out, std::size_t n, int receiver)
{
    const std::size_t i = std::size_t(blockIdx.x) * kBlock + threadIdx.x;
    if (i < n) out[i] = decodeOne(in[i], receiver);
}

struct Slot {
    record *     raw, *toSend, *received, *decoded;
    cudaEvent_t  produced, exchanged, consumed;
};

int main(int argc, char** argv)
{
    MPI_Init(&argc, &argv);
    int rank, ranks;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);

    const std::size_t perPeer = argc > 1 ? std::strtoull(argv[1], nullptr, 0) : 150;  // records per peer and chunk
    const int         chunks  = argc > 2 ? std::atoi(argv[2]) : 5;
    const int         passes  = 2;
    const std::size_t perChunk = perPeer * ranks, chunkBytes = perChunk * sizeof(record);
    const std::size_t total = perChunk * chunks;

    int gpus;
    CUDA(cudaGetDeviceCount(&gpus));
    CUDA(cudaSetDevice(rank % gpus));

    ncclComm_t   comm;
    ncclUniqueId uid;
    if (rank == 0) NCCL(ncclGetUniqueId(&uid));
    MPI_Bcast(&uid, sizeof uid, MPI_BYTE, 0, MPI_COMM_WORLD);
    NCCL(ncclCommInitRank(&comm, ranks, uid, rank));

    cudaStream_t producer, communicator, consumer;
    CUDA(cudaStreamCreateWithFlags(&producer, cudaStreamNonBlocking));
    CUDA(cudaStreamCreateWithFlags(&communicator, cudaStreamNonBlocking));
    CUDA(cudaStreamCreateWithFlags(&consumer, cudaStreamNonBlocking));

    record *hostIn, *hostOut;
    CUDA(cudaMallocHost((void**)&hostIn, total * sizeof(record)));
    CUDA(cudaMallocHost((void**)&hostOut, total * sizeof(record)));

    Slot slots[kSlots];
    for (auto& s : slots) {
        for (record** p : {&s.raw, &s.toSend, &s.received, &s.decoded}) CUDA(cudaMalloc((void**)p, chunkBytes));
        for (cudaEvent_t* e : {&s.produced, &s.exchanged, &s.consumed})
            CUDA(cudaEventCreateWithFlags(e, cudaEventDisableTiming));
    }

    const unsigned grid = unsigned((perChunk + kBlock - 1) / kBlock);
    double         seconds = 0;
    std::size_t    wrong = 0;

    for (int pass = 0; pass < passes; ++pass) {
        for (std::size_t i = 0; i < total; ++i) hostIn[i] = makeRecord(pass, rank, i);
        std::memset(hostOut, 0xff, total * sizeof(record));
        for (auto& s : slots) {
            CUDA(cudaMemset(s.toSend, 0xff, chunkBytes));
            CUDA(cudaMemset(s.received, 0xff, chunkBytes));
            CUDA(cudaMemset(s.decoded, 0xff, chunkBytes));
        }
        CUDA(cudaDeviceSynchronize());
        MPI_Barrier(MPI_COMM_WORLD);
        const double t0 = MPI_Wtime();

        for (int c = 0; c < chunks; ++c) {
            Slot& s = slots[c % kSlots];
            const bool reused = c >= kSlots;

            // copy in and encode, once the exchange of the slot's previous chunk has read the send buffer
            if (reused) CUDA(cudaStreamWaitEvent(producer, s.exchanged, 0));
            CUDA(cudaMemcpyAsync(s.raw, hostIn + c * perChunk, chunkBytes, cudaMemcpyHostToDevice, producer));
            encode<<<grid, kBlock, 0, producer>>>(s.raw, s.toSend, perChunk, rank);
            CUDA(cudaEventRecord(s.produced, producer));

            // exchange, once the previous chunk has left the receive buffer
            CUDA(cudaStreamWaitEvent(communicator, s.produced, 0));
            if (reused) CUDA(cudaStreamWaitEvent(communicator, s.consumed, 0));
            NCCL(ncclAlltoAll(s.toSend, s.received, perPeer, ncclUint64, comm, communicator));
            CUDA(cudaEventRecord(s.exchanged, communicator));

            // decode and copy out
            CUDA(cudaStreamWaitEvent(consumer, s.exchanged, 0));
            decode<<<grid, kBlock, 0, consumer>>>(s.received, s.decoded, perChunk, rank);
            CUDA(cudaMemcpyAsync(hostOut + c * perChunk, s.decoded, chunkBytes, cudaMemcpyDeviceToHost, consumer));
            CUDA(cudaEventRecord(s.consumed, consumer));
        }
        CUDA(cudaStreamSynchronize(consumer));  // everything else is upstream of it
        seconds += MPI_Wtime() - t0;
        CUDA(cudaGetLastError());

        for (int c = 0; c < chunks; ++c)
            for (int peer = 0; peer < ranks; ++peer)
                for (std::size_t i = 0; i < perPeer; ++i) {
                    const record sent = makeRecord(pass, peer, c * perChunk + rank * perPeer + i);
                    const record want = decodeOne(encodeOne(sent, peer), rank);
                    if (hostOut[c * perChunk + peer * perPeer + i] != want) ++wrong;
                }
    }

    for (auto& s : slots) {
        for (record* p : {s.raw, s.toSend, s.received, s.decoded}) CUDA(cudaFree(p));
        for (cudaEvent_t e : {s.produced, s.exchanged, s.consumed}) CUDA(cudaEventDestroy(e));
    }
    CUDA(cudaFreeHost(hostIn));
    CUDA(cudaFreeHost(hostOut));
    CUDA(cudaStreamDestroy(producer));
    CUDA(cudaStreamDestroy(communicator));
    CUDA(cudaStreamDestroy(consumer));
    NCCL(ncclCommDestroy(comm));

    std::printf("Time: %.4f ms\n", seconds * 1e3 / passes);
    std::printf("Verification: %s\n", wrong ? "FAIL" : "PASS");
    MPI_Finalize();
    return wrong ? 1 : 0;
}
