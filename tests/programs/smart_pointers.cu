// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Data-parallel training with bucketed gradients: rank 0 broadcasts the initial weights, every iteration averages
// the gradient buckets with one grouped AllReduce and applies plain SGD.

#include <chrono>
#include <cstdint>
#include <functional>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

namespace {

auto throw_if(bool failed, const std::string& message) -> void
{
    if (failed) throw std::runtime_error{message};
}

struct device_delete {
    auto operator()(void* memory) const noexcept -> void { cudaFree(memory); }
};
template <typename T>
using device_ptr = std::unique_ptr<T[], device_delete>;

template <typename T>
auto make_device(std::size_t count) -> device_ptr<T>
{
    void* memory{};
    throw_if(cudaMalloc(&memory, count * sizeof(T)) != cudaSuccess, "out of device memory");
    return device_ptr<T>{static_cast<T*>(memory)};
}

// Handles of CUDA and NCCL are pointers: the same trick owns them.
struct stream_delete { auto operator()(cudaStream_t s) const noexcept -> void { cudaStreamDestroy(s); } };
struct comm_delete { auto operator()(ncclComm_t c) const noexcept -> void { ncclCommDestroy(c); } };
using stream_ptr = std::unique_ptr<std::remove_pointer_t<cudaStream_t>, stream_delete>;
using comm_ptr = std::unique_ptr<std::remove_pointer_t<ncclComm_t>, comm_delete>;

struct bucket {
    std::size_t size;
    device_ptr<float> weights, gradient;
};

__host__ __device__ constexpr auto noise(std::uint64_t key) -> std::int32_t
{
    key = (key ^ (key >> 31)) * 0x7fb5d329728ea185ull;
    key = (key ^ (key >> 27)) * 0x81dadef4bc2dd44dull;
    return static_cast<std::int32_t>((key ^ (key >> 33)) & 0x3f) - 32;  // in [-32, 32)
}
__host__ __device__ constexpr auto start_weight(int b, std::uint64_t i) -> float
{
    return static_cast<float>(noise(0xabcdef + (static_cast<std::uint64_t>(b) << 40) + i));
}
__host__ __device__ constexpr auto local_gradient(int b, std::uint64_t i, int rank, int iteration) -> float
{
    return static_cast<float>(noise((static_cast<std::uint64_t>(b) << 40) + (static_cast<std::uint64_t>(rank + 1) << 50) +
                                    (static_cast<std::uint64_t>(iteration + 1) << 58) + i));
}

__global__ void init_weights(float* weights, std::size_t size, int b, bool mine)
{
    const auto i = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < size) weights[i] = mine ? start_weight(b, i) : -1e30f;  // only the root knows them
}

__global__ void backward(float* gradient, std::size_t size, int b, int rank, int iteration)
{
    const auto i = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < size) gradient[i] = local_gradient(b, i, rank, iteration);
}

__global__ void sgd(float* weights, const float* gradient, std::size_t size, float rate)
{
    const auto i = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < size) weights[i] -= rate * gradient[i];
}

auto train(int rank, int ranks, std::size_t base) -> bool
{
    const auto cuda = [&](cudaError_t e) { throw_if(e != cudaSuccess, cudaGetErrorString(e)); };
    const auto nccl = [&](ncclResult_t e) { throw_if(e != ncclSuccess, ncclGetErrorString(e)); };

    int devices{};
    cuda(cudaGetDeviceCount(&devices));
    cuda(cudaSetDevice(rank % devices));

    const auto stream = [&] {
        cudaStream_t s{};
        cuda(cudaStreamCreate(&s));
        return stream_ptr{s};
    }();
    const auto comm = [&] {
        ncclUniqueId id{};
        if (rank == 0) nccl(ncclGetUniqueId(&id));
        MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
        ncclComm_t c{};
        nccl(ncclCommInitRank(&c, ranks, id, rank));
        return comm_ptr{c};
    }();

    auto buckets = std::vector<bucket>{};
    for (const auto size : {base, base / 3 + 1, 2 * base + 5, std::size_t{17}})
        buckets.push_back({size, make_device<float>(size), make_device<float>(size)});

    // Everything that is done per bucket goes through here.
    const auto each_bucket = [&](const std::function<void(bucket&, int)>& action) {
        for (auto b = 0; b < static_cast<int>(buckets.size()); ++b) action(buckets[b], b);
        cuda(cudaGetLastError());
    };
    const auto launch = [&](auto kernel, std::size_t size, auto... arguments) {
        auto config = cudaLaunchConfig_t{};
        config.gridDim = dim3{static_cast<unsigned>((size + 127) / 128)};
        config.blockDim = dim3{128};
        config.stream = stream.get();
        cuda(cudaLaunchKernelEx(&config, kernel, arguments...));
    };
    const auto broadcast = [&](bucket& b, int) {
        nccl(ncclBroadcast(b.weights.get(), b.weights.get(), b.size, ncclFloat, 0, comm.get(), stream.get()));
    };
    const auto all_reduce = [&](bucket& b, int) {
        nccl(ncclAllReduce(b.gradient.get(), b.gradient.get(), b.size, ncclFloat, ncclSum, comm.get(), stream.get()));
    };
    const auto grouped = [&](const auto& collective) {
        nccl(ncclGroupStart());
        each_bucket(collective);
        nccl(ncclGroupEnd());
    };

    constexpr auto iterations = 4;
    constexpr auto rate = 0.5f;
    each_bucket([&](bucket& b, int index) { launch(init_weights, b.size, b.weights.get(), b.size, index, rank == 0); });
    cuda(cudaStreamSynchronize(stream.get()));
    MPI_Barrier(MPI_COMM_WORLD);

    const auto begin = std::chrono::high_resolution_clock::now();
    grouped(broadcast);
    for (auto iteration = 0; iteration < iterations; ++iteration) {
        each_bucket([&](bucket& b, int index) { launch(backward, b.size, b.gradient.get(), b.size, index, rank, iteration); });
        grouped(all_reduce);
        each_bucket([&](bucket& b, int) {
            launch(sgd, b.size, b.weights.get(), static_cast<const float*>(b.gradient.get()), b.size, rate);
        });
    }
    cuda(cudaStreamSynchronize(stream.get()));
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::high_resolution_clock::now() - begin;
    std::ostringstream line;
    line << "Time: " << std::fixed << std::setprecision(4) << elapsed.count() / iterations << " ms\n";
    std::cout << line.str();

    auto wrong = std::size_t{0};
    each_bucket([&](bucket& b, int index) {
        auto weights = std::vector<float>(b.size);
        auto gradient = std::vector<float>(b.size);
        cuda(cudaMemcpy(weights.data(), b.weights.get(), b.size * sizeof(float), cudaMemcpyDeviceToHost));
        cuda(cudaMemcpy(gradient.data(), b.gradient.get(), b.size * sizeof(float), cudaMemcpyDeviceToHost));
        for (std::size_t i = 0; i < b.size; ++i) {
            auto weight = start_weight(index, i), sum = 0.0f;  // halves of integers: exact
            for (auto iteration = 0; iteration < iterations; ++iteration) {
                sum = 0.0f;
                for (auto r = 0; r < ranks; ++r) sum += local_gradient(index, i, r, iteration);
                weight -= rate * sum;
            }
            wrong += weights[i] != weight || gradient[i] != sum;
        }
    });
    return wrong == 0;
}

}  // namespace

auto main(int argc, char** argv) -> int
{
    MPI_Init(&argc, &argv);
    int rank{}, ranks{};
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    auto pass = false;
    try {
        pass = train(rank, ranks, argc > 1 ? std::stoul(argv[1]) : 2500);
        std::cout << (pass ? "Verification: PASS\n" : "Verification: FAIL\n") << std::flush;
    } catch (const std::exception& problem) {
        std::cerr << "rank " << rank << ": " << problem.what() << std::endl;
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    MPI_Finalize();
    return pass ? 0 : 1;
}
