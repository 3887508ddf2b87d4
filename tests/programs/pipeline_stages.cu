// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Inference pipeline of an int8 MLP: layer `s` lives on rank s, micro-batches of activations flow from rank to rank.
// kSlots activation buffers per stage keep several micro-batches in flight; the sends have a stream of their own.

#include <mpi.h>
#include <nccl.h>
#include <cuda_runtime.h>
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

struct PipelineError : std::runtime_error { using std::runtime_error::runtime_error; };

inline void ok(cudaError_t e) { if (e != cudaSuccess) throw PipelineError(std::string("cuda: ") + cudaGetErrorString(e)); }
inline void ok(ncclResult_t e) { if (e != ncclSuccess) throw PipelineError(std::string("nccl: ") + ncclGetErrorString(e)); }

using act_t = int8_t;

constexpr int kRows = 16;    // tokens in a micro-batch
constexpr int kDim  = 64;    // width of the network
constexpr int kSlots = 3;    // micro-batches in flight
constexpr size_t kBatch = size_t(kRows) * kDim;

__host__ __device__ inline uint32_t scramble(uint32_t x) {
    x += 0x9e3779b9u;
    x = (x ^ (x >> 16)) * 0x21f0aaadu;
    x = (x ^ (x >> 15)) * 0x735a2d97u;
    return x ^ (x >> 15);
}
__host__ __device__ inline act_t input_of(int micro, int row, int col) { return act_t(scramble((micro * kRows + row) * kDim + col) % 127); }
__host__ __device__ inline act_t weight_of(int stage, int o, int i)    { return act_t(int(scramble(0x40000000u + (stage * kDim + o) * kDim + i) % 31) - 15); }
__host__ __device__ inline act_t requantize(int acc) { acc = acc / 32 + 20; return act_t(acc < 0 ? -acc & 0x3f : acc > 127 ? 127 : acc); }

__global__ void load_weights(act_t* w, int stage) {
    for (int i = threadIdx.x; i < kDim; i += blockDim.x) w[blockIdx.x * kDim + i] = weight_of(stage, blockIdx.x, i);
}

__global__ void read_input(act_t* x, int micro) {
    for (int c = threadIdx.x; c < kDim; c += blockDim.x) x[blockIdx.x * kDim + c] = input_of(micro, blockIdx.x, c);
}

// one block per token, one thread per output channel
__global__ void layer(const act_t* __restrict__ x, const act_t* __restrict__ w, act_t* __restrict__ y) {
    __shared__ act_t token[kDim];
    token[threadIdx.x] = x[blockIdx.x * kDim + threadIdx.x];
    __syncthreads();
    int acc = 0;
    for (int i = 0; i < kDim; ++i) acc += token[i] * w[threadIdx.x * kDim + i];
    y[blockIdx.x * kDim + threadIdx.x] = requantize(acc);
}

class Stage {
public:
    Stage(ncclComm_t comm, int rank, int world, int micros) : comm_(comm), rank_(rank), world_(world), micros_(micros) {
        ok(cudaStreamCreate(&main_));
        ok(cudaStreamCreate(&egress_));
        ok(cudaMalloc((void**)&weights_, size_t(kDim) * kDim));
        ok(cudaMalloc((void**)&kept_, micros * kBatch));
        ok(cudaMemset(kept_, 0xff, micros * kBatch));
        for (int s = 0; s < kSlots; ++s) {
            ok(cudaMalloc((void**)&in_[s], kBatch));
            ok(cudaMalloc((void**)&out_[s], kBatch));
            ok(cudaMemset(in_[s], 0x55, kBatch));
            ok(cudaEventCreateWithFlags(&computed_[s], cudaEventDisableTiming));
            ok(cudaEventCreateWithFlags(&sent_[s], cudaEventDisableTiming));
        }
        load_weights<<<kDim, 32, 0, main_>>>(weights_, rank);
        ok(cudaGetLastError());
        ok(cudaDeviceSynchronize());
    }
    Stage(const Stage&) = delete;
    ~Stage() {
        for (int s = 0; s < kSlots; ++s) {
            cudaEventDestroy(computed_[s]);
            cudaEventDestroy(sent_[s]);
            cudaFree(in_[s]);
            cudaFree(out_[s]);
        }
        cudaFree(kept_);
        cudaFree(weights_);
        cudaStreamDestroy(egress_);
        cudaStreamDestroy(main_);
    }

    void run() {
        const bool first = rank_ == 0, last = rank_ == world_ - 1;
        for (int m = 0; m < micros_; ++m) {
            const int slot = m % kSlots;
            if (first)
                read_input<<<kRows, 32, 0, main_>>>(in_[slot], m);
            else
                ok(ncclRecv(in_[slot], kBatch, ncclInt8, rank_ - 1, comm_, main_));

            if (m >= kSlots) ok(cudaStreamWaitEvent(main_, sent_[slot], 0));   // the slot is free again
            layer<<<kRows, kDim, 0, main_>>>(in_[slot], weights_, out_[slot]);
            ok(cudaGetLastError());
            ok(cudaMemcpyAsync(kept_ + m * kBatch, out_[slot], kBatch, cudaMemcpyDeviceToDevice, main_));
            ok(cudaEventRecord(computed_[slot], main_));

            ok(cudaStreamWaitEvent(egress_, computed_[slot], 0));
            if (!last) ok(ncclSend(out_[slot], kBatch, ncclInt8, rank_ + 1, comm_, egress_));
            ok(cudaEventRecord(sent_[slot], egress_));
        }
        ok(cudaStreamSynchronize(main_));
        ok(cudaStreamSynchronize(egress_));
    }

    // the activations behind this stage, for all micro-batches
    std::vector<act_t> outputs() const {
        std::vector<act_t> all(micros_ * kBatch);
        ok(cudaMemcpy(all.data(), kept_, all.size(), cudaMemcpyDeviceToHost));
        return all;
    }

private:
    ncclComm_t comm_;
    int rank_, world_, micros_;
    cudaStream_t main_, egress_;
    cudaEvent_t computed_[kSlots], sent_[kSlots];
    act_t *weights_, *kept_, *in_[kSlots], *out_[kSlots];
};

static size_t mismatches(const std::vector<act_t>& got, int stages, int micros) {
    std::vector<act_t> x(micros * kBatch), y(x.size());
    for (size_t i = 0; i < x.size(); ++i) x[i] = input_of(int(i / kBatch), int(i % kBatch) / kDim, int(i % kDim));
    for (int s = 0; s < stages; ++s) {
        std::vector<act_t> w(size_t(kDim) * kDim);
        for (int o = 0; o < kDim; ++o)
            for (int i = 0; i < kDim; ++i) w[o * kDim + i] = weight_of(s, o, i);
        for (size_t row = 0; row < size_t(micros) * kRows; ++row)
            for (int o = 0; o < kDim; ++o) {
                int acc = 0;
                for (int i = 0; i < kDim; ++i) acc += x[row * kDim + i] * w[o * kDim + i];
                y[row * kDim + o] = requantize(acc);
            }
        x.swap(y);
    }
    size_t bad = 0;
    for (size_t i = 0; i < x.size(); ++i) bad += x[i] != got[i];
    return bad;
}

int main(int argc, char** argv) {
    MPI_Init(&argc, &argv);
    int rank = 0, world = 1;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &world);
    int verdict = 1;
    try {
        const int micros = std::max(1, argc > 1 ? std::atoi(argv[1]) : 8);
        int gpus = 0;
        ok(cudaGetDeviceCount(&gpus));
        ok(cudaSetDevice(rank % gpus));
        ncclUniqueId id;
        if (rank == 0) ok(ncclGetUniqueId(&id));
        MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
        ncclComm_t comm;
        ok(ncclCommInitRank(&comm, world, id, rank));
        {
            Stage stage(comm, rank, world, micros);
            MPI_Barrier(MPI_COMM_WORLD);
            const double t = MPI_Wtime();
            stage.run();
            const double ms = (MPI_Wtime() - t) * 1000.0;
            const size_t bad = mismatches(stage.outputs(), rank + 1, micros);
            verdict = bad == 0 ? 0 : 1;
            std::ostringstream line;
            line << "Time: " << ms << " ms\nVerification: " << (bad == 0 ? "PASS" : "FAIL") << "\n";
            std::cout << line.str() << std::flush;
        }
        ok(ncclCommDestroy(comm));
    } catch (const std::exception& e) {
        std::cerr << "stage " << rank << ": " << e.what() << std::endl;
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    MPI_Finalize();
    return verdict;
}
