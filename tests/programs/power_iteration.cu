// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Dominant eigenpair of a dense symmetric matrix by power iteration. Block rows of the matrix are distributed; each
// step gathers the vector, multiplies, and all-reduces the squared norm, until the eigenvalue has settled.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <sstream>
#include <vector>

#include <cuda_runtime.h>
#include <nccl.h>
#include <mpi.h>

using real = double;
using index_type = int;

namespace linalg
{
    constexpr unsigned warp = 32;
    constexpr unsigned warps_per_block = 4;
    constexpr real tolerance = 1e-12;
    constexpr std::size_t max_iterations = 200;

    __host__ __device__ inline real unit_random(std::uint64_t key)
    {
        key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9ull;
        key = (key ^ (key >> 27)) * 0x94d049bb133111ebull;
        key ^= key >> 31;
        return static_cast<real>(key >> 11) * 0x1p-53;
    }

    // symmetric, positive, with a shifted diagonal that slows the convergence down to some thirty steps
    __host__ __device__ inline real entry(index_type i, index_type j, index_type n, int problem)
    {
        const std::uint64_t lo = i < j ? i : j, hi = i < j ? j : i;
        const real noise = unit_random((hi << 32 | lo) * 0x9e3779b97f4a7c15ull + problem + 1);
        return i == j ? noise + n * 0.25 : noise;
    }

    __host__ __device__ inline real initial(index_type i, int problem)
    {
        return unit_random(0xabcdef0123456789ull * (i + 1) + problem);
    }

    // rows past the end of the matrix are zero, which pads the last shard
    __global__ void assemble(real* a, real* x, index_type first, index_type rows, index_type n, int problem)
    {
        const index_type j = blockIdx.x * blockDim.x + threadIdx.x;
        const index_type local = blockIdx.y, i = first + local;
        if (j < n) a[static_cast<std::size_t>(local) * n + j] = i < n ? entry(i, j, n, problem) : 0;
        if (j == 0 && local < rows) x[local] = i < n ? initial(i, problem) : 0;
    }

    // y = A x, one warp per row
    __global__ void matvec(const real* __restrict__ a, const real* __restrict__ x, real* __restrict__ y, index_type rows, index_type n)
    {
        const index_type r = blockIdx.x * blockDim.y + threadIdx.y;
        real sum = 0;
        if (r < rows)
            for (index_type j = threadIdx.x; j < n; j += warp) sum += a[static_cast<std::size_t>(r) * n + j] * x[j];
        for (int offset = warp / 2; offset > 0; offset /= 2) sum += __shfl_down_sync(0xffffffffu, sum, offset);
        if (r < rows && threadIdx.x == 0) y[r] = sum;
    }

    __global__ void squared_norm(const real* y, index_type rows, real* result)
    {
        __shared__ real partial[128];
        real sum = 0;
        for (index_type i = threadIdx.x; i < rows; i += blockDim.x) sum += y[i] * y[i];
        partial[threadIdx.x] = sum;
        for (unsigned half = blockDim.x / 2; half > 0; half >>= 1)
        {
            __syncthreads();
            if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
        }
        if (threadIdx.x == 0) *result = partial[0];
    }

    __global__ void normalise(const real* y, const real* norm2, real* x, index_type rows)
    {
        const index_type i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < rows) x[i] = y[i] / sqrt(*norm2);
    }

    struct trace
    {
        std::vector<real> values; // the eigenvalue's estimate after every step
        std::vector<real> vector; // after the last one
    };

    inline bool settled(real value, real previous, real bound = tolerance) { return std::abs(value - previous) <= bound * value; }

    trace on_host(index_type n, int problem, std::size_t steps)
    {
        std::vector<real> a(static_cast<std::size_t>(n) * n), y(n);
        for (index_type i = 0; i < n; ++i)
            for (index_type j = 0; j < n; ++j) a[static_cast<std::size_t>(i) * n + j] = entry(i, j, n, problem);
        trace t;
        for (index_type i = 0; i < n; ++i) t.vector.push_back(initial(i, problem));
        while (t.values.size() < steps)
        {
            for (index_type i = 0; i < n; ++i)
                y[i] = std::inner_product(t.vector.begin(), t.vector.end(), a.begin() + static_cast<std::ptrdiff_t>(i) * n, real(0));
            t.values.push_back(std::sqrt(std::inner_product(y.begin(), y.end(), y.begin(), real(0))));
            for (index_type i = 0; i < n; ++i) t.vector[i] = y[i] / t.values.back();
        }
        return t;
    }
} // namespace linalg

static void check(cudaError_t e) { if (e != cudaSuccess) { std::cerr << "cuda: " << cudaGetErrorString(e) << '\n'; std::exit(1); } }
static void check(ncclResult_t e) { if (e != ncclSuccess) { std::cerr << "nccl: " << ncclGetErrorString(e) << '\n'; std::exit(1); } }
template <class T> static T* device_array(std::size_t n)
{
    T* p;
    check(cudaMalloc(reinterpret_cast<void**>(&p), n * sizeof(T)));
    check(cudaMemset(p, 0xff, n * sizeof(T)));
    return p;
}

int main(int argc, char* argv[])
{
    MPI_Init(&argc, &argv);
    int me, procs, gpus;
    MPI_Comm_rank(MPI_COMM_WORLD, &me);
    MPI_Comm_size(MPI_COMM_WORLD, &procs);
    check(cudaGetDeviceCount(&gpus));
    check(cudaSetDevice(me % gpus));

    ncclUniqueId id;
    if (me == 0) check(ncclGetUniqueId(&id));
    MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
    ncclComm_t comm;
    check(ncclCommInitRank(&comm, procs, id, me));

    const index_type n = argc > 1 ? std::atoi(argv[1]) : 125;
    const index_type rows = (n + procs - 1) / procs; // per rank; the last ranks' shards may reach past the end
    const index_type first = me * rows;

    real* a = device_array<real>(static_cast<std::size_t>(rows) * n);
    real* x_local = device_array<real>(rows);
    real* x = device_array<real>(static_cast<std::size_t>(rows) * procs);
    real* y = device_array<real>(rows);
    real* norm2 = device_array<real>(1);

    cudaStream_t stream;
    check(cudaStreamCreate(&stream));

    const dim3 mv_block(linalg::warp, linalg::warps_per_block);
    const dim3 mv_grid((rows + linalg::warps_per_block - 1) / linalg::warps_per_block);

    bool good = true;
    double elapsed = 0;
    for (int problem = 0; problem < 2; ++problem)
    {
        linalg::assemble<<<dim3((n + 63) / 64, rows), 64, 0, stream>>>(a, x_local, first, rows, n, problem);
        check(cudaStreamSynchronize(stream));
        MPI_Barrier(MPI_COMM_WORLD);
        const double start = MPI_Wtime();

        real lambda = 0, previous, squared;
        std::vector<real> estimates;
        do
        {
            previous = lambda;
            check(ncclAllGather(x_local, x, rows, ncclDouble, comm, stream));
            linalg::matvec<<<mv_grid, mv_block, 0, stream>>>(a, x, y, rows, n);
            linalg::squared_norm<<<1, 128, 0, stream>>>(y, rows, norm2);
            check(ncclAllReduce(norm2, norm2, 1, ncclDouble, ncclSum, comm, stream));
            linalg::normalise<<<(rows + 63) / 64, 64, 0, stream>>>(y, norm2, x_local, rows);
            check(cudaMemcpyAsync(&squared, norm2, sizeof(real), cudaMemcpyDeviceToHost, stream));
            check(cudaStreamSynchronize(stream));
            lambda = std::sqrt(squared);
            estimates.push_back(lambda);
        } while (estimates.size() < linalg::max_iterations && !linalg::settled(lambda, previous));

        elapsed += (MPI_Wtime() - start) * 1e3;

        // gathered once more, so that every rank can check all of the eigenvector
        check(ncclAllGather(x_local, x, rows, ncclDouble, comm, stream));
        std::vector<real> v(static_cast<std::size_t>(rows) * procs);
        check(cudaMemcpyAsync(v.data(), x, v.size() * sizeof(real), cudaMemcpyDeviceToHost, stream));
        check(cudaStreamSynchronize(stream));

        // every step's estimate, the final vector, and that it stopped neither too early nor too late
        const auto steps = estimates.size();
        const auto reference = linalg::on_host(n, problem, steps);
        std::size_t off = 0;
        for (std::size_t k = 0; k < steps; ++k)
            if (!(std::abs(estimates[k] - reference.values[k]) <= 1e-12 * reference.values[k])) ++off;
        for (std::size_t i = 0; i < v.size(); ++i)
        {
            const real expected = i < reference.vector.size() ? reference.vector[i] : 0;
            if (!(std::abs(v[i] - expected) <= 1e-11 * std::abs(expected))) ++off;
        }
        if (steps < 3 || !linalg::settled(reference.values[steps - 1], reference.values[steps - 2], 2 * linalg::tolerance)) ++off;
        else if (linalg::settled(reference.values[steps - 2], reference.values[steps - 3], linalg::tolerance / 2)) ++off;
        if (off != 0)
        {
            good = false;
            std::ostringstream line;
            line << "rank " << me << ", problem " << problem << ": " << off << " deviations, lambda = " << lambda << " after " << steps << " steps\n";
            std::cerr << line.str();
        }
    }

    for (real* p : { a, x_local, x, y, norm2 }) check(cudaFree(p));
    check(cudaStreamDestroy(stream));
    check(ncclCommDestroy(comm));

    std::ostringstream report;
    report << "Time: " << elapsed / 2 << " ms\n" << "Verification: " << (good ? "PASS" : "FAIL") << '\n';
    std::cout << report.str() << std::flush;
    MPI_Finalize();
    return good ? 0 : 1;
}
