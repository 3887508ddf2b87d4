// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Render farm: every rank renders one band of a jittered Julia-set image in fixed point; the bands are gathered into
// the frame buffer of rank 0, the only rank that has one. A short animation, one gather per frame.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

namespace {

using Pixel = std::uint32_t;

struct View {
    int width;
    int band_height;
    int frame;
};

template <class Status>
void expect(Status status, Status good, const char* what) {
    if (status == good) return;
    std::cerr << what << " failed with code " << static_cast<int>(status) << std::endl;
    MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
}
void ok(cudaError_t e, const char* what) { expect(e, cudaSuccess, what); }
void ok(ncclResult_t e, const char* what) { expect(e, ncclSuccess, what); }

// Fixed point with 13 fractional bits; only integers, hence the same colour on every machine.
__host__ __device__ Pixel shade(View v, int x, int y) {
    constexpr std::int64_t one = 1 << 13;
    std::uint32_t jitter = (std::uint32_t(y) * 9176u + std::uint32_t(x)) ^ (std::uint32_t(v.frame) * 0x3c6ef372u);
    jitter = (jitter ^ 61u) ^ (jitter >> 16);
    jitter *= 9u;
    jitter ^= jitter >> 4;
    jitter *= 0x27d4eb2du;
    jitter ^= jitter >> 15;
    std::int64_t re = (x * 3 * one) / v.width - 3 * one / 2 + (jitter & 63u);
    std::int64_t im = (y * one) / v.width - one + ((jitter >> 6) & 63u);
    const std::int64_t c_re = -one * 4 / 5 + v.frame * 37, c_im = one * 156 / 1000;
    std::uint32_t steps = 0;
    while (steps < 24 && re * re + im * im < 4 * one * one) {
        const std::int64_t t = (re * re - im * im) / one + c_re;
        im = 2 * re * im / one + c_im;
        re = t;
        ++steps;
    }
    return (steps << 24) | (jitter >> 8);
}

__global__ void render_band(View v, int first_row, Pixel* __restrict__ band) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    const int y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= v.width || y >= v.band_height) return;
    band[y * v.width + x] = shade(v, x, first_row + y);
}

std::size_t differences(const std::vector<Pixel>& image, View v, int first_row) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < image.size(); ++i)
        n += image[i] != shade(v, int(i % v.width), first_row + int(i / v.width));
    return n;
}

}  // namespace

int main(int argc, char** argv) {
    MPI_Init(&argc, &argv);
    int rank = -1, world = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &world);
    const bool master = rank == 0;

    View view{argc > 1 ? std::atoi(argv[1]) : 120, argc > 2 ? std::atoi(argv[2]) : 20, 0};
    const int frames = argc > 3 ? std::atoi(argv[3]) : 3;

    int gpus = 0;
    ok(cudaGetDeviceCount(&gpus), "cudaGetDeviceCount");
    ok(cudaSetDevice(rank % gpus), "cudaSetDevice");
    ncclUniqueId token{};
    if (master) ok(ncclGetUniqueId(&token), "ncclGetUniqueId");
    MPI_Bcast(token.internal, NCCL_UNIQUE_ID_BYTES, MPI_CHAR, 0, MPI_COMM_WORLD);
    ncclComm_t farm = nullptr;
    ok(ncclCommInitRank(&farm, world, token, rank), "ncclCommInitRank");

    const std::size_t tile = std::size_t(view.width) * view.band_height;
    Pixel* band = nullptr;
    Pixel* framebuffer = nullptr;  // stays null on the workers
    ok(cudaMalloc(&band, tile * sizeof(Pixel)), "cudaMalloc(band)");
    if (master) ok(cudaMalloc(&framebuffer, world * tile * sizeof(Pixel)), "cudaMalloc(framebuffer)");

    cudaStream_t stream;
    ok(cudaStreamCreate(&stream), "cudaStreamCreate");
    std::array<cudaEvent_t, 2> clock;
    for (cudaEvent_t& e : clock) ok(cudaEventCreate(&e), "cudaEventCreate");

    std::vector<Pixel> host_band(tile), host_frame(master ? world * tile : 0);
    std::size_t wrong = 0;
    float elapsed = 0.f;

    for (int frame = 0; frame < frames; ++frame) {
        view.frame = frame;
        ok(cudaMemsetAsync(band, 0xff, tile * sizeof(Pixel), stream), "cudaMemsetAsync");
        if (master) ok(cudaMemsetAsync(framebuffer, 0xff, world * tile * sizeof(Pixel), stream), "cudaMemsetAsync");
        ok(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
        MPI_Barrier(MPI_COMM_WORLD);

        ok(cudaEventRecord(clock[0], stream), "cudaEventRecord");

        int first_row = rank * view.band_height;
        cudaLaunchConfig_t config{};
        config.blockDim = dim3(16, 4);
        config.gridDim = dim3((view.width + 15) / 16, (view.band_height + 3) / 4);
        config.stream = stream;
        ok(cudaLaunchKernelEx(&config, render_band, view, first_row, band), "cudaLaunchKernelEx");

        ok(ncclGather(band, framebuffer, tile, ncclUint32, 0, farm, stream), "ncclGather");

        ok(cudaEventRecord(clock[1], stream), "cudaEventRecord");
        ok(cudaEventSynchronize(clock[1]), "cudaEventSynchronize");
        float ms = 0.f;
        ok(cudaEventElapsedTime(&ms, clock[0], clock[1]), "cudaEventElapsedTime");
        elapsed += ms;

        ok(cudaMemcpy(host_band.data(), band, tile * sizeof(Pixel), cudaMemcpyDeviceToHost), "cudaMemcpy");
        wrong += differences(host_band, view, first_row);
        if (master) {
            ok(cudaMemcpy(host_frame.data(), framebuffer, host_frame.size() * sizeof(Pixel), cudaMemcpyDeviceToHost), "cudaMemcpy");
            wrong += differences(host_frame, view, 0);
        }
    }

    std::cout << "Time: " + std::to_string(elapsed / frames) + " ms\n"
              << std::string("Verification: ") + (wrong ? "FAIL\n" : "PASS\n") << std::flush;

    for (cudaEvent_t e : clock) ok(cudaEventDestroy(e), "cudaEventDestroy");
    ok(cudaStreamDestroy(stream), "cudaStreamDestroy");
    ok(cudaFree(band), "cudaFree");
    if (framebuffer != nullptr) ok(cudaFree(framebuffer), "cudaFree");
    ok(ncclCommDestroy(farm), "ncclCommDestroy");
    MPI_Finalize();
    return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
