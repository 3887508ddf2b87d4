// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Monte Carlo estimate of pi with integers only: every rank throws its own darts and counts them by ring. The counts
// of all rings end up on rank 0, the number of hits on every rank. The sampling kernel is cooperative.

#include <cooperative_groups.h>
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace cg = cooperative_groups;

using Count = unsigned long long;  // what atomicAdd takes
static_assert(sizeof(Count) == sizeof(std::uint64_t), "counts travel as ncclUint64");

constexpr unsigned rings = 700;
constexpr unsigned threads = 64;

// ---- errors ----

struct GpuError : std::runtime_error { using std::runtime_error::runtime_error; };

void throwIfBad(cudaError_t e, char const *call)
{
    if (e == cudaSuccess) return;
    std::ostringstream text;
    text << call << ": " << cudaGetErrorName(e) << " (" << cudaGetErrorString(e) << ")";
    throw GpuError(text.str());
}

void throwIfBad(ncclResult_t e, char const *call)
{
    if (e != ncclSuccess) throw GpuError(std::string(call) + ": " + ncclGetErrorString(e));
}

#define EX(...) throwIfBad((__VA_ARGS__), #__VA_ARGS__)

struct CudaDeleter { void operator()(void *p) const noexcept { cudaFree(p); } };
using Counters = std::unique_ptr<Count[], CudaDeleter>;

Counters makeCounters(std::size_t n)
{
    void *p = nullptr;
    EX(cudaMalloc(&p, n * sizeof(Count)));
    EX(cudaMemset(p, 0xff, n * sizeof(Count)));
    return Counters(static_cast<Count *>(p));
}

// ---- darts ----

// The ring that a dart hits, or `rings` if it misses the disc. Coordinates are 16 bit, all arithmetic is exact.
__host__ __device__ inline unsigned ringOfDart(std::uint32_t rank, std::uint32_t round, std::uint32_t dart)
{
    std::uint32_t s = dart * 747796405u + (rank * 2891336453u ^ round * 277803737u);
    s = ((s >> ((s >> 28) + 4)) ^ s) * 277803737u;
    s ^= s >> 22;
    s *= 0x9e3779b1u;
    s ^= s >> 15;
    std::uint64_t const x = s & 0xffffu, y = s >> 16, d2 = x * x + y * y;
    return d2 < (std::uint64_t{1} << 32) ? static_cast<unsigned>(d2 * rings >> 32) : rings;
}

// Clears the histogram, fills it, and then sums it up into tally = {hits, darts}: two barriers across the grid.
__global__ void throwDarts(Count *histogram, Count *tally, std::uint32_t rank, std::uint32_t round, std::uint32_t darts)
{
    cg::grid_group const grid = cg::this_grid();
    unsigned const first = blockIdx.x * blockDim.x + threadIdx.x, step = gridDim.x * blockDim.x;

    for (unsigned r = first; r < rings; r += step) histogram[r] = 0;
    if (first == 0) tally[0] = tally[1] = 0;
    grid.sync();

    for (std::uint32_t d = first; d < darts; d += step)
    {
        unsigned const r = ringOfDart(rank, round, d);
        if (r < rings) atomicAdd(histogram + r, Count{1});
    }
    grid.sync();

    Count mine = 0;
    for (unsigned r = first; r < rings; r += step) mine += histogram[r];
    if (mine != 0) atomicAdd(tally, mine);
    if (first == 0) tally[1] = darts;
}

// ---- one rank's work ----

class Experiment
{
public:
    Experiment(int rank, int ranks, std::uint32_t darts) : rank_(rank), ranks_(ranks), darts_(darts)
    {
        int n = 0;
        EX(cudaGetDeviceCount(&n));
        EX(cudaSetDevice(rank % n));

        ncclUniqueId id;
        if (rank == 0) EX(ncclGetUniqueId(&id));
        MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
        EX(ncclCommInitRank(&comm_, ranks, id, rank));
        EX(cudaStreamCreate(&stream_));

        histogram_ = makeCounters(rings);
        tally_ = makeCounters(2);
        worldTally_ = makeCounters(2);
        if (rank == 0) worldHistogram_ = makeCounters(rings);

        // a cooperative grid must be resident as a whole
        int device = 0, perSm = 0;
        cudaDeviceProp properties;
        EX(cudaGetDevice(&device));
        EX(cudaGetDeviceProperties(&properties, device));
        EX(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&perSm, throwDarts, threads, 0));
        blocks_ = static_cast<unsigned>(std::max(1, std::min(8, perSm * properties.multiProcessorCount)));
    }

    ~Experiment()
    {
        if (stream_) cudaStreamDestroy(stream_);
        if (comm_) ncclCommDestroy(comm_);
    }

    Experiment(Experiment const &) = delete;
    Experiment &operator=(Experiment const &) = delete;

    double run(std::uint32_t round)
    {
        MPI_Barrier(MPI_COMM_WORLD);
        double const begin = MPI_Wtime();

        Count *histogram = histogram_.get(), *tally = tally_.get();
        std::uint32_t rank = rank_, darts = darts_;
        void *arguments[] = {&histogram, &tally, &rank, &round, &darts};
        EX(cudaLaunchCooperativeKernel(throwDarts, dim3(blocks_), dim3(threads), arguments, 0, stream_));

        EX(ncclReduce(histogram_.get(), worldHistogram_.get(), rings, ncclUint64, ncclSum, 0, comm_, stream_));
        EX(ncclAllReduce(tally_.get(), worldTally_.get(), 2, ncclUint64, ncclSum, comm_, stream_));

        EX(cudaStreamSynchronize(stream_));
        return (MPI_Wtime() - begin) * 1000.0;
    }

    bool verify(std::uint32_t round) const
    {
        std::vector<Count> all(rings, 0), own(rings, 0);
        Count hits = 0;
        for (int r = 0; r < ranks_; ++r)
            for (std::uint32_t d = 0; d < darts_; ++d)
            {
                unsigned const ring = ringOfDart(r, round, d);
                if (ring >= rings) continue;
                ++hits;
                ++all[ring];
                if (r == rank_) ++own[ring];
            }
        std::vector<Count> const tally = {hits, Count{darts_} * ranks_};
        return download(histogram_, rings) == own && download(worldTally_, 2) == tally &&
               (rank_ != 0 || download(worldHistogram_, rings) == all);
    }

private:
    static std::vector<Count> download(Counters const &from, std::size_t n)
    {
        std::vector<Count> to(n);
        EX(cudaMemcpy(to.data(), from.get(), n * sizeof(Count), cudaMemcpyDeviceToHost));
        return to;
    }

    int rank_, ranks_;
    std::uint32_t darts_;
    unsigned blocks_ = 1;
    ncclComm_t comm_ = nullptr;
    cudaStream_t stream_ = nullptr;
    Counters histogram_, tally_, worldHistogram_, worldTally_;
};

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int rank = 0, ranks = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);

    bool passed = true;
    try
    {
        std::uint32_t const darts = argc > 1 ? static_cast<std::uint32_t>(std::stoul(argv[1])) : 20011;
        std::uint32_t const rounds = argc > 2 ? static_cast<std::uint32_t>(std::stoul(argv[2])) : 3;

        Experiment experiment(rank, ranks, darts);
        double milliseconds = 0;
        for (std::uint32_t round = 0; round < rounds; ++round)
        {
            milliseconds += experiment.run(round);
            passed = experiment.verify(round) && passed;
        }
        std::printf("Time: %.3f ms\n", milliseconds / std::max(rounds, 1u));
        std::printf("Verification: %s\n", passed ? "PASS" : "FAIL");
    }
    catch (std::exception const &e)
    {
        std::fprintf(stderr, "[%d] %s\n", rank, e.what());
        MPI_Abort(MPI_COMM_WORLD, 2);
    }

    MPI_Finalize();
    return passed ? 0 : 1;
}
