// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Prints the time per operation of host-launched collectives and of LSA kernels, back to back on one stream:
//   us <what> <bytes per rank> <microseconds>
// Arguments: what [bytes …].
#include <nccl_device.h>

#include <algorithm>

#include "check.h"

static constexpr int kUnroll = 8;  // 8 x 16 bytes in flight per thread

// One slice per peer: read from own memory, stored to the peer.
__global__ void __launch_bounds__(512) alltoall_kernel(ncclWindow_t in, ncclWindow_t out, size_t per_peer, ncclDevComm dc) {
  ncclLsaBarrierSession<ncclCoopCta> bar{ncclCoopCta(), dc, ncclTeamTagLsa(), blockIdx.x};
  bar.sync(ncclCoopCta(), cuda::memory_order_relaxed);
  ncclTeam const team = ncclTeamLsa(dc);
  size_t const n = per_peer / sizeof(float4), threads = (size_t)gridDim.x * blockDim.x;
  size_t const me = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (int k = 0; k < team.nRanks; ++k) {
    int const peer = (team.rank + k) % team.nRanks;
    float4 const* from = (float4 const*)ncclGetLocalPointer(in, peer * per_peer);
    float4* to = (float4*)ncclGetLsaPointer(out, team.rank * per_peer, peer);
    size_t i = me;
    for (; i + (kUnroll - 1) * threads < n; i += kUnroll * threads) {
      float4 v[kUnroll];
#pragma unroll
      for (int u = 0; u < kUnroll; ++u) v[u] = from[i + u * threads];
#pragma unroll
      for (int u = 0; u < kUnroll; ++u) to[i + u * threads] = v[u];
    }
    for (; i < n; i += threads) to[i] = from[i];
  }
  bar.sync(ncclCoopCta(), cuda::memory_order_release);
}

__device__ inline float4 plus(float4 a, float4 b) { return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w); }

// Every rank reduces its stripes and stores them to all.
__global__ void __launch_bounds__(512) allreduce_kernel(ncclWindow_t in, ncclWindow_t out, size_t bytes, ncclDevComm dc) {
  ncclLsaBarrierSession<ncclCoopCta> bar{ncclCoopCta(), dc, ncclTeamTagLsa(), blockIdx.x};
  bar.sync(ncclCoopCta(), cuda::memory_order_relaxed);
  ncclTeam const team = ncclTeamLsa(dc);
  size_t const n = bytes / sizeof(float4), all = (size_t)gridDim.x * team.nRanks * blockDim.x;
  size_t const me = ((size_t)blockIdx.x * team.nRanks + team.rank) * blockDim.x + threadIdx.x;
  size_t i = me;
  for (; i + (kUnroll - 1) * all < n; i += kUnroll * all) {
    float4 sum[kUnroll], v[kUnroll];
    for (int k = 0; k < team.nRanks; ++k) {
      float4 const* from = (float4 const*)ncclGetLsaPointer(in, 0, (team.rank + k) % team.nRanks);
#pragma unroll
      for (int u = 0; u < kUnroll; ++u) v[u] = from[i + u * all];
#pragma unroll
      for (int u = 0; u < kUnroll; ++u) sum[u] = k == 0 ? v[u] : plus(sum[u], v[u]);
    }
    for (int k = 0; k < team.nRanks; ++k) {
      float4* to = (float4*)ncclGetLsaPointer(out, 0, (team.rank + k) % team.nRanks);
#pragma unroll
      for (int u = 0; u < kUnroll; ++u) to[i + u * all] = sum[u];
    }
  }
  for (; i < n; i += all) {
    float4 sum = make_float4(0, 0, 0, 0);
    for (int k = 0; k < team.nRanks; ++k) sum = plus(sum, ((float4 const*)ncclGetLsaPointer(in, 0, (team.rank + k) % team.nRanks))[i]);
    for (int k = 0; k < team.nRanks; ++k) ((float4*)ncclGetLsaPointer(out, 0, (team.rank + k) % team.nRanks))[i] = sum;
  }
  bar.sync(ncclCoopCta(), cuda::memory_order_release);
}

// Reduce-scatter by loads, then all-gather by stores; one load and one store at a time.
__global__ void __launch_bounds__(512) twoshot_kernel(ncclWindow_t in, ncclWindow_t out, size_t bytes, ncclDevComm dc) {
  ncclLsaBarrierSession<ncclCoopCta> bar{ncclCoopCta(), dc, ncclTeamTagLsa(), blockIdx.x};
  bar.sync(ncclCoopCta(), cuda::memory_order_acquire);
  ncclTeam const team = ncclTeamLsa(dc);
  size_t const n = bytes / sizeof(float4) / team.nRanks, first = team.rank * n;
  for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (size_t)gridDim.x * blockDim.x) {
    float4 sum = make_float4(0, 0, 0, 0);
    for (int p = 0; p < team.nRanks; ++p) sum = plus(sum, ((float4 const*)ncclGetLsaPointer(in, 0, p))[first + i]);
    for (int p = 0; p < team.nRanks; ++p) ((float4*)ncclGetLsaPointer(out, 0, p))[first + i] = sum;
  }
  bar.sync(ncclCoopCta(), cuda::memory_order_release);
}

// The scalar kernels of the same test suite: one element per thread and step.
__global__ void __launch_bounds__(512) alltoall_scalar(ncclWindow_t in, ncclWindow_t out, size_t per_peer, ncclDevComm dc) {
  ncclLsaBarrierSession<ncclCoopCta> bar{ncclCoopCta(), dc, ncclTeamTagLsa(), blockIdx.x};
  bar.sync(ncclCoopCta(), cuda::memory_order_relaxed);
  ncclTeam const team = ncclTeamLsa(dc);
  size_t const n = per_peer / sizeof(float);
  for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (size_t)gridDim.x * blockDim.x)
    for (int p = 0; p < team.nRanks; ++p)
      ((float*)ncclGetLsaPointer(out, team.rank * per_peer, p))[i] = ((float*)ncclGetLocalPointer(in, p * per_peer))[i];
  bar.sync(ncclCoopCta(), cuda::memory_order_release);
}
__global__ void __launch_bounds__(512) allreduce_scalar(ncclWindow_t in, ncclWindow_t out, size_t bytes, ncclDevComm dc) {
  ncclLsaBarrierSession<ncclCoopCta> bar{ncclCoopCta(), dc, ncclTeamTagLsa(), blockIdx.x};
  bar.sync(ncclCoopCta(), cuda::memory_order_relaxed);
  ncclTeam const team = ncclTeamLsa(dc);
  size_t const n = bytes / sizeof(float), all = (size_t)gridDim.x * team.nRanks * blockDim.x;
  for (size_t i = ((size_t)blockIdx.x * team.nRanks + team.rank) * blockDim.x + threadIdx.x; i < n; i += all) {
    float v = 0;
    for (int p = 0; p < team.nRanks; ++p) v += ((float*)ncclGetLsaPointer(in, 0, p))[i];
    for (int p = 0; p < team.nRanks; ++p) ((float*)ncclGetLsaPointer(out, 0, p))[i] = v;
  }
  bar.sync(ncclCoopCta(), cuda::memory_order_release);
}

int main(int argc, char** argv) {
  start(&argc, &argv);
  std::string const what = argc > 1 ? argv[1] : "";
  std::vector<size_t> sizes;
  for (int i = 2; i < argc; ++i) sizes.push_back(std::strtoull(argv[i], nullptr, 10));
  size_t const most = *std::max_element(sizes.begin(), sizes.end());
  void *in = nullptr, *out = nullptr;
  NCCL(ncclMemAlloc(&in, most));
  NCCL(ncclMemAlloc(&out, most));
  ncclWindow_t const win = window_of(in, most), wout = window_of(out, most);
  ncclDevCommRequirements reqs;
  std::memset(&reqs, 0, sizeof reqs);
  reqs.lsaBarrierCount = 32;
  ncclDevComm dc;
  NCCL(ncclDevCommCreate(comm, &reqs, &dc));
  cudaEvent_t begin, end;
  CUDA(cudaEventCreate(&begin));
  CUDA(cudaEventCreate(&end));
  for (size_t bytes : sizes) {
    auto const once = [&] {
      size_t const n = bytes / sizeof(float), part = bytes / n_ranks;
      if (what == "alltoall_host") NCCL(ncclAlltoAll(in, out, n / n_ranks, ncclFloat, comm, stream));
      if (what == "allreduce_host") NCCL(ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream));
      if (what == "alltoall_device") alltoall_kernel<<<16, 512, 0, stream>>>(win, wout, part, dc);
      if (what == "allreduce_device") allreduce_kernel<<<16, 512, 0, stream>>>(win, wout, bytes, dc);
      if (what == "twoshot_device") twoshot_kernel<<<32, 512, 0, stream>>>(win, wout, bytes, dc);
      if (what == "alltoall_scalar") alltoall_scalar<<<16, 512, 0, stream>>>(win, wout, part, dc);
      if (what == "allreduce_scalar") allreduce_scalar<<<16, 512, 0, stream>>>(win, wout, bytes, dc);
    };
    int const repetitions = bytes > (8 << 20) ? 1 : bytes > (1 << 20) ? 2 : 4;
    once();
    CUDA(cudaEventRecord(begin, stream));
    for (int i = 0; i < repetitions; ++i) once();
    CUDA(cudaEventRecord(end, stream));
    CUDA(cudaStreamSynchronize(stream));
    float ms = 0;
    CUDA(cudaEventElapsedTime(&ms, begin, end));
    double us = ms * 1e3 / repetitions, slowest = 0;
    MPI_Reduce(&us, &slowest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    if (my_rank == 0) printf("us %s %zu %.3f\n", what.c_str(), bytes, slowest);
  }
  return finish("calibration");
}
