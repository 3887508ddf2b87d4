// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Global histogram equalisation of a striped image: the ranks add up their histograms (AllReduce), remap their own
// stripe and collect the whole picture (AllGather). Plain C, all state in one struct.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#define LEVELS 256
#define GUARD 64
#define GUARD_BYTE 0xA5

struct ctx {
	int rank;
	int nranks;
	size_t npix;			/* in a stripe */

	unsigned char *d_send;		/* own stripe */
	unsigned char *d_recv;		/* whole picture, then GUARD bytes */
	unsigned int *d_hist;		/* LEVELS, own */
	unsigned int *d_hist_all;	/* LEVELS, summed */

	ncclComm_t comm;
	cudaStream_t stream;
	cudaEvent_t ev[2];
	float ms;
};

#define CU(call) \
	do { \
		cudaError_t err_ = (call); \
		if (err_ != cudaSuccess) { \
			fprintf(stderr, "%s: %s\n", #call, cudaGetErrorString(err_)); \
			return -1; \
		} \
	} while (0)

#define NC(call) \
	do { \
		ncclResult_t res_ = (call); \
		if (res_ != ncclSuccess) { \
			fprintf(stderr, "%s: %s\n", #call, ncclGetErrorString(res_)); \
			return -2; \
		} \
	} while (0)

/* dark pictures: the square of a uniform value */
__host__ __device__ static unsigned char pixel(uint32_t rank, uint32_t pass, uint32_t i)
{
	uint32_t x = i + 1u;

	x ^= (rank + 1u) * 2654435761u;
	x ^= (pass + 1u) * 2246822519u;
	x *= 0xcc9e2d51u;
	x ^= x >> 15;
	x *= 0x1b873593u;
	x ^= x >> 13;
	x *= 0xe6546b64u;
	x ^= x >> 16;
	x &= 0xff;
	return (unsigned char)((x * x) >> 8);
}

__global__ void k_expose(unsigned char *pix, unsigned int n, unsigned int rank, unsigned int pass)
{
	unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;

	if (i < n)
		pix[i] = pixel(rank, pass, i);
}

__global__ void k_histogram(const unsigned char *pix, unsigned int n, unsigned int *hist)
{
	__shared__ unsigned int part[LEVELS];
	unsigned int i;

	for (i = threadIdx.x; i < LEVELS; i += blockDim.x)
		part[i] = 0;
	__syncthreads();
	for (i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
		atomicAdd(&part[pix[i]], 1u);
	__syncthreads();
	for (i = threadIdx.x; i < LEVELS; i += blockDim.x)
		if (part[i])
			atomicAdd(&hist[i], part[i]);
}

__global__ void k_remap(unsigned char *pix, unsigned int n, const unsigned int *hist, unsigned long long total)
{
	__shared__ unsigned char lut[LEVELS];

	if (threadIdx.x < LEVELS) {
		unsigned long long below = 0;
		unsigned int l;

		for (l = 0; l <= threadIdx.x; l++)
			below += hist[l];
		lut[threadIdx.x] = (unsigned char)(below * 255ull / total);
	}
	__syncthreads();
	for (unsigned int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
		pix[i] = lut[pix[i]];
}

static int init_ctx(struct ctx *ctx, size_t npix)
{
	ncclUniqueId id;
	int ndev = 0;

	memset(ctx, 0, sizeof(*ctx));
	MPI_Comm_rank(MPI_COMM_WORLD, &ctx->rank);
	MPI_Comm_size(MPI_COMM_WORLD, &ctx->nranks);
	ctx->npix = npix;

	CU(cudaGetDeviceCount(&ndev));
	CU(cudaSetDevice(ctx->rank % ndev));
	if (ctx->rank == 0)
		NC(ncclGetUniqueId(&id));
	MPI_Bcast(&id, (int)sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
	NC(ncclCommInitRank(&ctx->comm, ctx->nranks, id, ctx->rank));

	CU(cudaStreamCreate(&ctx->stream));
	CU(cudaEventCreate(&ctx->ev[0]));
	CU(cudaEventCreate(&ctx->ev[1]));
	CU(cudaMalloc((void **)&ctx->d_send, npix));
	CU(cudaMalloc((void **)&ctx->d_recv, npix * ctx->nranks + GUARD));
	CU(cudaMalloc((void **)&ctx->d_hist, LEVELS * sizeof(unsigned int)));
	CU(cudaMalloc((void **)&ctx->d_hist_all, LEVELS * sizeof(unsigned int)));
	return 0;
}

static int run_ctx(struct ctx *ctx, unsigned int pass)
{
	unsigned int n = (unsigned int)ctx->npix, rank = (unsigned int)ctx->rank;
	unsigned long long total = (unsigned long long)ctx->npix * ctx->nranks;
	void *args_expose[] = { &ctx->d_send, &n, &rank, &pass };
	void *args_hist[] = { &ctx->d_send, &n, &ctx->d_hist };
	void *args_remap[] = { &ctx->d_send, &n, &ctx->d_hist_all, &total };
	float ms = 0.0f;

	CU(cudaLaunchKernel((const void *)k_expose, dim3((n + 255) / 256), dim3(256), args_expose, 0, ctx->stream));
	CU(cudaMemsetAsync(ctx->d_hist, 0, LEVELS * sizeof(unsigned int), ctx->stream));
	CU(cudaMemsetAsync(ctx->d_hist_all, 0xff, LEVELS * sizeof(unsigned int), ctx->stream));
	CU(cudaMemsetAsync(ctx->d_recv, GUARD_BYTE, ctx->npix * ctx->nranks + GUARD, ctx->stream));
	CU(cudaStreamSynchronize(ctx->stream));
	MPI_Barrier(MPI_COMM_WORLD);

	CU(cudaEventRecord(ctx->ev[0], ctx->stream));
	CU(cudaLaunchKernel((const void *)k_histogram, dim3(8), dim3(128), args_hist, 0, ctx->stream));
	NC(ncclAllReduce(ctx->d_hist, ctx->d_hist_all, LEVELS, ncclUint32, ncclSum, ctx->comm, ctx->stream));
	CU(cudaLaunchKernel((const void *)k_remap, dim3(4), dim3(LEVELS), args_remap, 0, ctx->stream));
	NC(ncclAllGather(ctx->d_send, ctx->d_recv, ctx->npix, ncclUint8, ctx->comm, ctx->stream));
	CU(cudaEventRecord(ctx->ev[1], ctx->stream));

	CU(cudaStreamSynchronize(ctx->stream));
	CU(cudaEventElapsedTime(&ms, ctx->ev[0], ctx->ev[1]));
	ctx->ms += ms;
	return 0;
}

/* number of wrong bytes and histogram bins, or negative */
static long check_ctx(struct ctx *ctx, unsigned int pass)
{
	size_t total = ctx->npix * ctx->nranks, i;
	unsigned long long want[LEVELS] = { 0 }, below = 0;
	unsigned char lut[LEVELS], *got;
	unsigned int hist[LEVELS];
	long bad = 0;
	int l, r;

	got = (unsigned char *)malloc(total + GUARD);
	if (!got)
		return -1;
	if (cudaMemcpy(got, ctx->d_recv, total + GUARD, cudaMemcpyDeviceToHost) != cudaSuccess ||
	    cudaMemcpy(hist, ctx->d_hist_all, sizeof(hist), cudaMemcpyDeviceToHost) != cudaSuccess) {
		free(got);
		return -1;
	}
	for (r = 0; r < ctx->nranks; r++)
		for (i = 0; i < ctx->npix; i++)
			want[pixel((uint32_t)r, pass, (uint32_t)i)]++;
	for (l = 0; l < LEVELS; l++) {
		below += want[l];
		lut[l] = (unsigned char)(below * 255ull / total);
		bad += hist[l] != want[l];
	}
	for (r = 0; r < ctx->nranks; r++)
		for (i = 0; i < ctx->npix; i++)
			bad += got[r * ctx->npix + i] != lut[pixel((uint32_t)r, pass, (uint32_t)i)];
	for (i = 0; i < GUARD; i++)
		bad += got[total + i] != GUARD_BYTE;
	free(got);
	return bad;
}

static void free_ctx(struct ctx *ctx)
{
	cudaFree(ctx->d_hist_all);
	cudaFree(ctx->d_hist);
	cudaFree(ctx->d_recv);
	cudaFree(ctx->d_send);
	cudaEventDestroy(ctx->ev[1]);
	cudaEventDestroy(ctx->ev[0]);
	cudaStreamDestroy(ctx->stream);
	ncclCommDestroy(ctx->comm);
}

int main(int argc, char **argv)
{
	struct ctx ctx;
	unsigned int pass, npasses = 3;
	long bad = 0, b;

	MPI_Init(&argc, &argv);
	if (init_ctx(&ctx, argc > 1 ? (size_t)atol(argv[1]) : 20000) != 0)
		goto fatal;
	for (pass = 0; pass < npasses; pass++) {
		if (run_ctx(&ctx, pass) != 0)
			goto fatal;
		b = check_ctx(&ctx, pass);
		if (b < 0)
			goto fatal;
		bad += b;
	}
	printf("Time: %f ms\n", ctx.ms / npasses);
	printf("Verification: %s\n", bad ? "FAIL" : "PASS");
	free_ctx(&ctx);
	MPI_Finalize();
	return bad ? 1 : 0;

fatal:
	MPI_Abort(MPI_COMM_WORLD, 2);
	return 2;
}
