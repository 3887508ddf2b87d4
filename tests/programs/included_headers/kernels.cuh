// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Kernels of the k-means program, and the integer arithmetic that its host check shares with them.

#pragma once

namespace kmeans {

constexpr int K = 11;    // clusters
constexpr int DIM = 3;   // coordinates of a point
constexpr int RANGE = 4096;

__host__ __device__ inline int coordinate(unsigned point, unsigned d, unsigned rank, unsigned trial) {
  unsigned v = (point * DIM + d) * 0x01000193u ^ (rank + 1) * 0x9e3779b9u ^ (trial + 1) * 0x7feb352du;
  v = (v ^ (v >> 16)) * 0x7feb352du;
  v = (v ^ (v >> 15)) * 0x846ca68bu;
  return static_cast<int>((v ^ (v >> 16)) % RANGE);
}

// The cluster whose center is nearest; the lowest of several.
__host__ __device__ inline int nearest(const int *p, const int *centers) {
  int best = 0;
  long long best_distance = -1;
  for (int c = 0; c < K; ++c) {
    long long distance = 0;
    for (int d = 0; d < DIM; ++d) {
      const long long delta = p[d] - centers[c * DIM + d];
      distance += delta * delta;
    }
    if (best_distance < 0 || distance < best_distance) {
      best = c;
      best_distance = distance;
    }
  }
  return best;
}

__global__ void scatter_points(int *points, int n, unsigned rank, unsigned trial) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    for (int d = 0; d < DIM; ++d)
      points[i * DIM + d] = coordinate(i, d, rank, trial);
}

// The first K points of a rank are its guess at the centers.
__global__ void seed_centers(int *centers, const int *points) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < K * DIM)
    centers[i] = points[i];
}

// accumulators: K sums of each coordinate, then K counts; a block adds up its own points first
__global__ void assign(const int *points, int n, const int *centers, int *label, unsigned long long *accumulators) {
  __shared__ unsigned long long of_block[K * DIM + K];
  for (int j = threadIdx.x; j < K * DIM + K; j += blockDim.x)
    of_block[j] = 0;
  __syncthreads();

  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    const int c = nearest(points + i * DIM, centers);
    label[i] = c;
    for (int d = 0; d < DIM; ++d)
      atomicAdd(&of_block[c * DIM + d], static_cast<unsigned long long>(points[i * DIM + d]));
    atomicAdd(&of_block[K * DIM + c], 1ull);
  }
  __syncthreads();
  for (int j = threadIdx.x; j < K * DIM + K; j += blockDim.x)
    if (of_block[j] != 0)
      atomicAdd(&accumulators[j], of_block[j]);
}

__global__ void move_centers(int *centers, const unsigned long long *accumulators) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= K * DIM)
    return;
  const unsigned long long members = accumulators[K * DIM + i / DIM];
  if (members > 0)
    centers[i] = static_cast<int>(accumulators[i] / members);
}

}  // namespace kmeans
