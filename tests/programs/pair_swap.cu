// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Replica exchange (parallel tempering): one replica per rank. After every sweep the replicas of ranks 2k and 2k+1 trade
// places: the spins and the running energy. With an odd number of replicas the last one has no partner.

#include <stdio.h>
#include <stdlib.h>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

typedef unsigned char      spin_t;
typedef unsigned int       u32;
typedef unsigned long long u64;

#define ROUNDS 5
#define BLOCK  128

static __host__ __device__ u32 rnd(u32 replica, u32 round, u32 site)
{
	u32 x = site;

	x ^= replica << 24;
	x ^= round << 18;
	x *= 0xcc9e2d51u;
	x ^= x >> 15;
	x *= 0x1b873593u;
	x ^= x >> 13;
	x *= 0xe6546b64u;
	x ^= x >> 16;
	return x;
}

static __host__ __device__ spin_t move(spin_t s, u32 temperature, u32 round, u32 site)
{
	return (spin_t)(s * 5 + (rnd(temperature, round, site) & 0x7f) + temperature);
}

__global__ void cold_start(spin_t *spin, u64 *energy, u32 n, u32 rank)
{
	u32 i = blockIdx.x * blockDim.x + threadIdx.x;

	if (i < n)
		spin[i] = (spin_t)rnd(rank, 63, i);
	if (i == 0)
		*energy = 1000000ull * (rank + 1);
}

__global__ void sweep(spin_t *spin, u64 *energy, u32 n, u32 temperature, u32 round)
{
	__shared__ u32 part[BLOCK];
	u32 i = blockIdx.x * BLOCK + threadIdx.x;
	u32 half;

	part[threadIdx.x] = 0;
	if (i < n) {
		spin[i] = move(spin[i], temperature, round, i);
		part[threadIdx.x] = spin[i];
	}
	__syncthreads();
	for (half = BLOCK / 2; half > 0; half /= 2) {
		if (threadIdx.x < half)
			part[threadIdx.x] += part[threadIdx.x + half];
		__syncthreads();
	}
	if (threadIdx.x == 0)
		atomicAdd(energy, (u64)part[0]);
}

/* 0 if the replica at `rank` is what it should be after all rounds */
static int check(const spin_t *spin, u64 energy, u32 n, int rank, int nranks)
{
	int wrong = 0, round, r;
	u32 i;
	u64 sum = 0;
	int where[ROUNDS];	/* which temperature did my replica have in each round? */
	int origin;

	/* go back in time */
	r = rank;
	for (round = ROUNDS - 1; round >= 0; round--) {
		if ((r ^ 1) < nranks)
			r ^= 1;
		where[round] = r;
	}
	origin = r;

	for (i = 0; i < n; i++) {
		spin_t s = (spin_t)rnd(origin, 63, i);

		for (round = 0; round < ROUNDS; round++) {
			s = move(s, where[round], round, i);
			sum += s;
		}
		if (s != spin[i])
			wrong++;
	}
	sum += 1000000ull * (origin + 1);
	if (sum != energy)
		wrong++;
	return wrong;
}

int main(int argc, char **argv)
{
	int rank, nranks, partner, ndev, round, wrong = 1;
	u32 n = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : 10007;
	u32 grid = (n + BLOCK - 1) / BLOCK;
	spin_t *spin = NULL, *other_spin = NULL, *tmp_spin, *host_spin = NULL;
	u64 *energy = NULL, *other_energy = NULL, *tmp_energy, host_energy = 0;
	cudaStream_t stream = NULL;
	cudaEvent_t begin = NULL, end = NULL;
	ncclUniqueId id;
	ncclComm_t comm = NULL;
	float ms = 0;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &nranks);

	if (cudaGetDeviceCount(&ndev) != cudaSuccess || ndev == 0)
		goto fail;
	if (cudaSetDevice(rank % ndev) != cudaSuccess)
		goto fail;
	if (rank == 0 && ncclGetUniqueId(&id) != ncclSuccess)
		goto fail;
	MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
	if (ncclCommInitRank(&comm, nranks, id, rank) != ncclSuccess)
		goto fail;

	if (cudaMalloc((void **)&spin, n) != cudaSuccess ||
	    cudaMalloc((void **)&other_spin, n) != cudaSuccess ||
	    cudaMalloc((void **)&energy, sizeof(u64)) != cudaSuccess ||
	    cudaMalloc((void **)&other_energy, sizeof(u64)) != cudaSuccess)
		goto fail;
	if (cudaStreamCreate(&stream) != cudaSuccess ||
	    cudaEventCreate(&begin) != cudaSuccess ||
	    cudaEventCreate(&end) != cudaSuccess)
		goto fail;
	host_spin = (spin_t *)malloc(n);
	if (host_spin == NULL)
		goto fail;

	partner = rank ^ 1;
	cudaMemsetAsync(other_spin, 0xff, n, stream);
	cudaMemsetAsync(other_energy, 0xff, sizeof(u64), stream);
	cold_start<<<grid, BLOCK, 0, stream>>>(spin, energy, n, rank);
	if (cudaStreamSynchronize(stream) != cudaSuccess)
		goto fail;
	MPI_Barrier(MPI_COMM_WORLD);

	cudaEventRecord(begin, stream);
	for (round = 0; round < ROUNDS; round++) {
		sweep<<<grid, BLOCK, 0, stream>>>(spin, energy, n, rank, round);
		if (cudaGetLastError() != cudaSuccess)
			goto fail;

		if (partner >= nranks)
			continue;

		if (ncclGroupStart() != ncclSuccess)
			goto fail;
		if (ncclSend(spin, n, ncclUint8, partner, comm, stream) != ncclSuccess)
			goto fail;
		if (ncclRecv(other_spin, n, ncclUint8, partner, comm, stream) != ncclSuccess)
			goto fail;
		if (ncclSend(energy, 1, ncclUint64, partner, comm, stream) != ncclSuccess)
			goto fail;
		if (ncclRecv(other_energy, 1, ncclUint64, partner, comm, stream) != ncclSuccess)
			goto fail;
		if (ncclGroupEnd() != ncclSuccess)
			goto fail;

		tmp_spin = spin;
		spin = other_spin;
		other_spin = tmp_spin;
		tmp_energy = energy;
		energy = other_energy;
		other_energy = tmp_energy;
	}
	cudaEventRecord(end, stream);
	if (cudaEventSynchronize(end) != cudaSuccess)
		goto fail;
	cudaEventElapsedTime(&ms, begin, end);

	if (cudaMemcpy(host_spin, spin, n, cudaMemcpyDeviceToHost) != cudaSuccess ||
	    cudaMemcpy(&host_energy, energy, sizeof(u64), cudaMemcpyDeviceToHost) != cudaSuccess)
		goto fail;
	wrong = check(host_spin, host_energy, n, rank, nranks);

	printf("Time: %.3f ms\n", ms);
	printf("Verification: %s\n", wrong ? "FAIL" : "PASS");

	free(host_spin);
	cudaEventDestroy(begin);
	cudaEventDestroy(end);
	cudaStreamDestroy(stream);
	cudaFree(spin);
	cudaFree(other_spin);
	cudaFree(energy);
	cudaFree(other_energy);
	ncclCommDestroy(comm);
	MPI_Finalize();
	return wrong ? 1 : 0;

fail:
	fprintf(stderr, "pair_swap: rank %d gave up: %s\n", rank, cudaGetErrorString(cudaGetLastError()));
	MPI_Abort(MPI_COMM_WORLD, 1);
	return 1;
}
