// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// The communicator of the k-means program: MPI for the start, NCCL for the data.

#pragma once

#include "check.h"

namespace kmeans {

class Comm {
public:
  Comm(int *argc, char ***argv) {
    MPI_Init(argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &my_rank);
    MPI_Comm_size(MPI_COMM_WORLD, &num_ranks);

    int num_gpus = 0;
    KM_CUDA(cudaGetDeviceCount(&num_gpus));
    KM_CUDA(cudaSetDevice(my_rank % num_gpus));

    ncclUniqueId id;
    if (my_rank == 0)
      KM_NCCL(ncclGetUniqueId(&id));
    MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 1;
    KM_NCCL(ncclCommInitRankConfig(&nccl, num_ranks, id, my_rank, &config));
    KM_CUDA(cudaStreamCreateWithFlags(&queue, cudaStreamNonBlocking));
  }

  ~Comm() {
    KM_CUDA(cudaStreamDestroy(queue));
    KM_NCCL(ncclCommDestroy(nccl));
    MPI_Finalize();
  }

  Comm(const Comm &) = delete;
  Comm &operator=(const Comm &) = delete;

  // In place, on everybody's device.
  void broadcast(int *device_data, int count, int root) {
    KM_NCCL(ncclBroadcast(device_data, device_data, count, ncclInt32, root, nccl, queue));
  }
  void sum(const unsigned long long *device_in, unsigned long long *device_out, int count) {
    KM_NCCL(ncclAllReduce(device_in, device_out, count, ncclUint64, ncclSum, nccl, queue));
  }
  void wait() { KM_CUDA(cudaStreamSynchronize(queue)); }
  void barrier() { MPI_Barrier(MPI_COMM_WORLD); }

  int rank() const { return my_rank; }
  int ranks() const { return num_ranks; }
  cudaStream_t stream() const { return queue; }

private:
  int my_rank = 0;
  int num_ranks = 0;
  ncclComm_t nccl = nullptr;
  cudaStream_t queue = nullptr;
};

}  // namespace kmeans
