// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "transform/programs.hpp"

namespace cuco::testing {

/// AllReduce, AllGather, send and receive, on all ranks and on those of each node of four.
inline std::string teams_program() {
  return prelude() + R"(
int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, nranks;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  const int per_node = 4;
  ncclComm_t world = make_comm(rank, nranks), node;
  NCCL_CHECK(ncclCommSplit(world, rank / per_node, rank, &node, nullptr));
  const int first = rank / per_node * per_node, members = std::min(per_node, nranks - first);
  cudaStream_t stream;
  CUDA_CHECK(cudaStreamCreate(&stream));
  const size_t n = 1003;
  float *in, *sum, *node_sum;
  int *mine, *all, *node_all, *inbox;
  CUDA_CHECK(cudaMalloc(&in, n * sizeof(float)));
  CUDA_CHECK(cudaMalloc(&sum, n * sizeof(float)));
  CUDA_CHECK(cudaMalloc(&node_sum, n * sizeof(float)));
  CUDA_CHECK(cudaMalloc(&mine, n * sizeof(int)));
  CUDA_CHECK(cudaMalloc(&all, n * nranks * sizeof(int)));
  CUDA_CHECK(cudaMalloc(&node_all, n * members * sizeof(int)));
  CUDA_CHECK(cudaMalloc(&inbox, 2 * n * sizeof(int)));
  std::vector<float> floats(n);
  std::vector<int> ints(n), many(n * nranks);
  size_t wrong = 0;
  float ms = 0;
  cudaEvent_t start, stop;
  CUDA_CHECK(cudaEventCreate(&start));
  CUDA_CHECK(cudaEventCreate(&stop));
  const int next = (rank + 1) % nranks, before = (rank + nranks - 1) % nranks;
  const int here = rank - first;
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < n; ++i) floats[i] = float(value_at(i, rank, round)), ints[i] = value_at(i, rank, round + 9);
    CUDA_CHECK(cudaMemcpy(in, floats.data(), n * sizeof(float), cudaMemcpyHostToDevice));
    CUDA_CHECK(cudaMemcpy(mine, ints.data(), n * sizeof(int), cudaMemcpyHostToDevice));
    CUDA_CHECK(cudaEventRecord(start, stream));
    NCCL_CHECK(ncclAllReduce(in, sum, n, ncclFloat, ncclSum, world, stream));
    NCCL_CHECK(ncclAllReduce(in, node_sum, n, ncclFloat, ncclSum, node, stream));
    NCCL_CHECK(ncclAllGather(mine, all, n, ncclInt, world, stream));
    NCCL_CHECK(ncclAllGather(mine, node_all, n, ncclInt, node, stream));
    NCCL_CHECK(ncclGroupStart());
    NCCL_CHECK(ncclSend(mine, n, ncclInt, next, world, stream));
    NCCL_CHECK(ncclRecv(inbox, n, ncclInt, before, world, stream));
    NCCL_CHECK(ncclSend(mine, n, ncclInt, (here + 1) % members, node, stream));
    NCCL_CHECK(ncclRecv(inbox + n, n, ncclInt, (here + members - 1) % members, node, stream));
    NCCL_CHECK(ncclGroupEnd());
    CUDA_CHECK(cudaEventRecord(stop, stream));
    CUDA_CHECK(cudaStreamSynchronize(stream));
    CUDA_CHECK(cudaEventElapsedTime(&ms, start, stop));
    auto sum_of = [&](size_t i, int from, int count) {
      int s = 0;
      for (int r = 0; r < count; ++r) s += value_at(i, from + r, round);
      return float(s);
    };
    CUDA_CHECK(cudaMemcpy(floats.data(), sum, n * sizeof(float), cudaMemcpyDeviceToHost));
    for (size_t i = 0; i < n; ++i) wrong += floats[i] != sum_of(i, 0, nranks);
    CUDA_CHECK(cudaMemcpy(floats.data(), node_sum, n * sizeof(float), cudaMemcpyDeviceToHost));
    for (size_t i = 0; i < n; ++i) wrong += floats[i] != sum_of(i, first, members);
    CUDA_CHECK(cudaMemcpy(many.data(), all, n * nranks * sizeof(int), cudaMemcpyDeviceToHost));
    for (size_t i = 0; i < n * nranks; ++i) wrong += many[i] != value_at(i % n, int(i / n), round + 9);
    CUDA_CHECK(cudaMemcpy(many.data(), node_all, n * members * sizeof(int), cudaMemcpyDeviceToHost));
    for (size_t i = 0; i < n * members; ++i) wrong += many[i] != value_at(i % n, first + int(i / n), round + 9);
    CUDA_CHECK(cudaMemcpy(ints.data(), inbox, n * sizeof(int), cudaMemcpyDeviceToHost));
    for (size_t i = 0; i < n; ++i) wrong += ints[i] != value_at(i, before, round + 9);
    CUDA_CHECK(cudaMemcpy(ints.data(), inbox + n, n * sizeof(int), cudaMemcpyDeviceToHost));
    const int neighbour = first + (here + members - 1) % members;
    for (size_t i = 0; i < n; ++i) wrong += ints[i] != value_at(i, neighbour, round + 9);
  }
  CUDA_CHECK(cudaFree(in));
  CUDA_CHECK(cudaFree(sum));
  CUDA_CHECK(cudaFree(node_sum));
  CUDA_CHECK(cudaFree(mine));
  CUDA_CHECK(cudaFree(all));
  CUDA_CHECK(cudaFree(node_all));
  CUDA_CHECK(cudaFree(inbox));
  const int status = verdict(wrong, ms);
  NCCL_CHECK(ncclCommDestroy(node));
  NCCL_CHECK(ncclCommDestroy(world));
  MPI_Finalize();
  return status;
}
)";
}

}  // namespace cuco::testing
