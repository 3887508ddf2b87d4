// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// k-means over points spread across the ranks, in integers: one rank broadcasts the initial centers, then the sums and
// the counts of the clusters are reduced over all ranks in every iteration. Macros, communicator and kernels live in
// headers of their own.

#include "included_headers/check.h"
#include "included_headers/comm.hpp"
#include "included_headers/kernels.cuh"

#include <cstdlib>
#include <vector>

using namespace kmeans;

static const int TRIALS = 2;
static const int ITERATIONS = 4;

// What the distributed iterations must arrive at: the centers, and this rank's labels.
static void solve_on_host(int n, int ranks, int rank, unsigned trial, std::vector<int> &centers,
                          std::vector<int> &labels) {
  const unsigned root = trial % ranks;
  centers.resize(K * DIM);
  labels.resize(n);
  for (int i = 0; i < K * DIM; ++i)
    centers[i] = coordinate(i / DIM, i % DIM, root, trial);
  for (int it = 0; it < ITERATIONS; ++it) {
    std::vector<long long> sums(K * DIM, 0), members(K, 0);
    for (int r = 0; r < ranks; ++r) {
      for (int i = 0; i < n; ++i) {
        int p[DIM];
        for (int d = 0; d < DIM; ++d)
          p[d] = coordinate(i, d, r, trial);
        const int c = nearest(p, centers.data());
        for (int d = 0; d < DIM; ++d)
          sums[c * DIM + d] += p[d];
        ++members[c];
        if (r == rank)
          labels[i] = c;
      }
    }
    for (int i = 0; i < K * DIM; ++i)
      if (members[i / DIM] > 0)
        centers[i] = static_cast<int>(sums[i] / members[i / DIM]);
  }
}

int main(int argc, char **argv) {
  int failures = 0;
  {
    Comm comm(&argc, &argv);
    const int n = argc > 1 ? atoi(argv[1]) : 2000;  // points of a rank
    const int sums = K * DIM + K;

    int *points, *centers, *labels;
    unsigned long long *mine, *total;
    KM_CUDA(cudaMalloc(&points, n * DIM * sizeof *points));
    KM_CUDA(cudaMalloc(&centers, K * DIM * sizeof *centers));
    KM_CUDA(cudaMalloc(&labels, n * sizeof *labels));
    KM_CUDA(cudaMalloc(&mine, sums * sizeof *mine));
    KM_CUDA(cudaMalloc(&total, sums * sizeof *total));
    cudaEvent_t begin, end;
    KM_CUDA(cudaEventCreate(&begin));
    KM_CUDA(cudaEventCreate(&end));

    float ms_total = 0;
    for (int trial = 0; trial < TRIALS; ++trial) {
      const int root = trial % comm.ranks();
      KM_CUDA(cudaMemsetAsync(labels, 0xff, n * sizeof *labels, comm.stream()));
      KM_CUDA(cudaMemsetAsync(centers, 0xff, K * DIM * sizeof *centers, comm.stream()));
      KM_CUDA(cudaMemsetAsync(total, 0xff, sums * sizeof *total, comm.stream()));
      KM_LAUNCH(scatter_points, n, comm.stream(), points, n, comm.rank(), trial);
      if (comm.rank() == root)
        KM_LAUNCH(seed_centers, K * DIM, comm.stream(), centers, points);
      comm.wait();
      comm.barrier();

      KM_CUDA(cudaEventRecord(begin, comm.stream()));
      comm.broadcast(centers, K * DIM, root);
      for (int it = 0; it < ITERATIONS; ++it) {
        KM_CUDA(cudaMemsetAsync(mine, 0, sums * sizeof *mine, comm.stream()));
        KM_LAUNCH(assign, n, comm.stream(), points, n, centers, labels, mine);
        comm.sum(mine, total, sums);
        KM_LAUNCH(move_centers, K * DIM, comm.stream(), centers, total);
      }
      KM_CUDA(cudaEventRecord(end, comm.stream()));
      comm.wait();
      float ms = 0;
      KM_CUDA(cudaEventElapsedTime(&ms, begin, end));
      ms_total += ms;

      std::vector<int> got_centers(K * DIM), got_labels(n), want_centers, want_labels;
      KM_CUDA(cudaMemcpy(got_centers.data(), centers, K * DIM * sizeof(int), cudaMemcpyDeviceToHost));
      KM_CUDA(cudaMemcpy(got_labels.data(), labels, n * sizeof(int), cudaMemcpyDeviceToHost));
      solve_on_host(n, comm.ranks(), comm.rank(), trial, want_centers, want_labels);
      failures += got_centers != want_centers;
      failures += got_labels != want_labels;
    }
    printf("Time: %f ms\n", ms_total / TRIALS);
    printf("Verification: %s\n", failures == 0 ? "PASS" : "FAIL");

    KM_CUDA(cudaEventDestroy(begin));
    KM_CUDA(cudaEventDestroy(end));
    for (void *p : {(void *)points, (void *)centers, (void *)labels, (void *)mine, (void *)total})
      KM_CUDA(cudaFree(p));
  }
  return failures == 0 ? 0 : 1;
}
