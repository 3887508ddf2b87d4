// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Collects statistics of all ranks on one of them: per-sensor totals and peaks of event counters (int64) and of
// quantised signal levels (float). Only the root has memory for the result.
//
// usage: reduce_to_root [root, default the last rank] [sensors] [rounds]

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

enum { E_OK = 0, E_WRONG = 1, E_CUDA = 10, E_NCCL = 11, E_USAGE = 12, E_MEMORY = 13 };

/* Return codes travel up; whoever sees one first says where. */
#define TRY_CUDA(expr)                                                                        \
	do {                                                                                      \
		const cudaError_t err_ = (expr);                                                      \
		if (err_ != cudaSuccess) {                                                            \
			fprintf(stderr, "%s (%d): %s\n", #expr, __LINE__, cudaGetErrorName(err_));        \
			return E_CUDA;                                                                    \
		}                                                                                     \
	} while (0)
#define TRY_NCCL(expr)                                                                        \
	do {                                                                                      \
		const ncclResult_t err_ = (expr);                                                     \
		if (err_ != ncclSuccess) {                                                            \
			fprintf(stderr, "%s (%d): %s\n", #expr, __LINE__, ncclGetErrorString(err_));      \
			return E_NCCL;                                                                    \
		}                                                                                     \
	} while (0)

#define GUARD_ELEMENTS 8

struct context {
	int rank, size, root;
	size_t sensors;
	int rounds;
	ncclComm_t comm;
	cudaStream_t stream;
	double ms;
};

__host__ __device__ static uint64_t scramble(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ (x >> 33);
}

/* Counters span 44 bits and both signs, so that a 32-bit sum somewhere on the way would show. */
__host__ __device__ static int64_t counter_of(uint64_t sensor, int rank, int round)
{
	return (int64_t)(scramble(sensor * 1031 + (uint64_t)rank + ((uint64_t)round << 50)) >> 20) - ((int64_t)1 << 43);
}

/* Whole numbers below 2^15: sums over a few hundred ranks are exact in float. */
__host__ __device__ static float level_of(uint64_t sensor, int rank, int round)
{
	return (float)((int)(scramble(~sensor * 2053 + (uint64_t)rank + ((uint64_t)round << 44)) & 0x7fff) - 0x4000);
}

__global__ void sample_counters(int64_t *out, size_t sensors, int rank, int round)
{
	const size_t s = blockIdx.x * (size_t)blockDim.x + threadIdx.x;
	if (s < sensors)
		out[s] = counter_of(s, rank, round);
}

__global__ void sample_levels(float *out, size_t sensors, int rank, int round)
{
	const size_t s = blockIdx.x * (size_t)blockDim.x + threadIdx.x;
	if (s < sensors)
		out[s] = level_of(s, rank, round);
}

template <typename T>
static int launch_sampler(void (*kernel)(T *, size_t, int, int), T *out, const struct context *ctx, int round)
{
	size_t sensors = ctx->sensors;
	int rank = ctx->rank;
	void *args[] = {&out, &sensors, &rank, &round};
	const dim3 block(256);
	const dim3 grid((unsigned)((sensors + block.x - 1) / block.x));
	TRY_CUDA(cudaLaunchKernel(kernel, grid, block, args, 0, ctx->stream));
	return E_OK;
}

template <typename T>
static int count_wrong(const struct context *ctx, const T *mine, const T *total, const T *peak, T (*value)(uint64_t, int, int),
                       int round, long *wrong)
{
	for (size_t s = 0; s < ctx->sensors; ++s) {
		if (mine[s] != value(s, ctx->rank, round))
			++*wrong; /* a reduction leaves its input alone */
		if (ctx->rank != ctx->root)
			continue;
		T sum = 0, top = value(s, 0, round);
		for (int r = 0; r < ctx->size; ++r) {
			const T v = value(s, r, round);
			sum += v;
			if (v > top)
				top = v;
		}
		if (total[s] != sum)
			++*wrong;
		if (peak[s] != top)
			++*wrong;
	}
	if (ctx->rank == ctx->root) {
		const unsigned char *g1 = (const unsigned char *)(total + ctx->sensors);
		const unsigned char *g2 = (const unsigned char *)(peak + ctx->sensors);
		for (size_t i = 0; i < GUARD_ELEMENTS * sizeof(T); ++i)
			if (g1[i] != 0xff || g2[i] != 0xff)
				++*wrong;
	}
	return E_OK;
}

template <typename T>
static int statistics(struct context *ctx, void (*sampler)(T *, size_t, int, int), ncclDataType_t type,
                      T (*value)(uint64_t, int, int), long *wrong)
{
	const bool is_root = ctx->rank == ctx->root;
	const size_t bytes = ctx->sensors * sizeof(T), guarded = bytes + GUARD_ELEMENTS * sizeof(T);
	T *samples = NULL, *total = NULL, *peak = NULL;
	T *h_samples = (T *)malloc(bytes), *h_total = NULL, *h_peak = NULL;
	int rc;

	TRY_CUDA(cudaMalloc((void **)&samples, bytes));
	if (is_root) {
		TRY_CUDA(cudaMalloc((void **)&total, guarded));
		TRY_CUDA(cudaMalloc((void **)&peak, guarded));
		h_total = (T *)malloc(guarded);
		h_peak = (T *)malloc(guarded);
		if (!h_total || !h_peak)
			return E_MEMORY;
	}
	if (!h_samples)
		return E_MEMORY;

	for (int round = 0; round < ctx->rounds; ++round) {
		if (is_root) {
			TRY_CUDA(cudaMemsetAsync(total, 0xff, guarded, ctx->stream));
			TRY_CUDA(cudaMemsetAsync(peak, 0xff, guarded, ctx->stream));
		}
		TRY_CUDA(cudaStreamSynchronize(ctx->stream));
		MPI_Barrier(MPI_COMM_WORLD);

		const double begin = MPI_Wtime();
		if ((rc = launch_sampler(sampler, samples, ctx, round)) != E_OK)
			return rc;
		TRY_NCCL(ncclReduce(samples, total, ctx->sensors, type, ncclSum, ctx->root, ctx->comm, ctx->stream));
		TRY_NCCL(ncclReduce(samples, peak, ctx->sensors, type, ncclMax, ctx->root, ctx->comm, ctx->stream));
		TRY_CUDA(cudaStreamSynchronize(ctx->stream));
		ctx->ms += 1e3 * (MPI_Wtime() - begin);

		TRY_CUDA(cudaMemcpy(h_samples, samples, bytes, cudaMemcpyDeviceToHost));
		if (is_root) {
			TRY_CUDA(cudaMemcpy(h_total, total, guarded, cudaMemcpyDeviceToHost));
			TRY_CUDA(cudaMemcpy(h_peak, peak, guarded, cudaMemcpyDeviceToHost));
		}
		if ((rc = count_wrong<T>(ctx, h_samples, h_total, h_peak, value, round, wrong)) != E_OK)
			return rc;
	}

	free(h_samples);
	free(h_total);
	free(h_peak);
	TRY_CUDA(cudaFree(samples));
	if (is_root) {
		TRY_CUDA(cudaFree(total));
		TRY_CUDA(cudaFree(peak));
	}
	return E_OK;
}

static int run(struct context *ctx, long *wrong)
{
	int devices, rc;
	ncclUniqueId id;

	TRY_CUDA(cudaGetDeviceCount(&devices));
	TRY_CUDA(cudaSetDevice(ctx->rank % devices));
	if (ctx->rank == 0)
		TRY_NCCL(ncclGetUniqueId(&id));
	MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
	TRY_NCCL(ncclCommInitRank(&ctx->comm, ctx->size, id, ctx->rank));
	TRY_CUDA(cudaStreamCreateWithFlags(&ctx->stream, cudaStreamNonBlocking));

	if ((rc = statistics<int64_t>(ctx, sample_counters, ncclInt64, counter_of, wrong)) != E_OK)
		return rc;
	if ((rc = statistics<float>(ctx, sample_levels, ncclFloat32, level_of, wrong)) != E_OK)
		return rc;

	TRY_CUDA(cudaStreamDestroy(ctx->stream));
	TRY_NCCL(ncclCommDestroy(ctx->comm));
	return E_OK;
}

int main(int argc, char *argv[])
{
	struct context ctx = {};
	long wrong = 0;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &ctx.rank);
	MPI_Comm_size(MPI_COMM_WORLD, &ctx.size);
	ctx.root = argc > 1 ? atoi(argv[1]) : ctx.size - 1;
	ctx.sensors = argc > 2 ? strtoull(argv[2], NULL, 0) : 3001;
	ctx.rounds = argc > 3 ? atoi(argv[3]) : 2;
	if (ctx.root < 0 || ctx.root >= ctx.size || ctx.sensors == 0 || ctx.rounds < 1) {
		fprintf(stderr, "usage: %s [root] [sensors] [rounds]\n", argv[0]);
		MPI_Abort(MPI_COMM_WORLD, E_USAGE);
	}

	const int rc = run(&ctx, &wrong);
	if (rc != E_OK)
		MPI_Abort(MPI_COMM_WORLD, rc);

	printf("Time: %.5f ms\n", ctx.ms / ctx.rounds);
	printf("Verification: %s\n", wrong ? "FAIL" : "PASS");
	MPI_Finalize();
	return wrong ? E_WRONG : E_OK;
}
