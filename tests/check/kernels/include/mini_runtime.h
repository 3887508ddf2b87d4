// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#include <cstdio>

#define RT_CHECK(call) rt_check(static_cast<int>(call), #call, __FILE__, __LINE__)

inline void rt_check(int status, const char* call, const char* file, int line) {
  if (status == 0) return;
  std::fprintf(stderr, "%s:%d: %s returned %d\n", file, line, call, status);
  MPI_Abort(MPI_COMM_WORLD, 1);
}

struct Runtime {
  int rank = 0, nranks = 1;
  ncclComm_t comm = nullptr;
  cudaStream_t stream = nullptr;

  Runtime(int* argc, char*** argv) {
    MPI_Init(argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &nranks);
    int devices = 0;
    RT_CHECK(cudaGetDeviceCount(&devices));
    RT_CHECK(cudaSetDevice(rank % devices));
    RT_CHECK(cudaStreamCreate(&stream));
    ncclUniqueId id;
    if (rank == 0) RT_CHECK(ncclGetUniqueId(&id));
    MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
    RT_CHECK(ncclCommInitRank(&comm, nranks, id, rank));
  }
  int verdict(int errors) const {
    MPI_Allreduce(MPI_IN_PLACE, &errors, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0) std::printf("%s\n", errors == 0 ? "PASS" : "FAIL");
    return errors == 0 ? 0 : 1;
  }
  ~Runtime() {
    RT_CHECK(cudaStreamDestroy(stream));
    RT_CHECK(ncclCommDestroy(comm));
    MPI_Finalize();
  }
};

template <class T>
struct WindowOf {
  T* data = nullptr;
  ncclWindow_t window = nullptr;
  ncclComm_t comm;
  explicit WindowOf(ncclComm_t c, size_t count = 1) : comm(c) {
    RT_CHECK(ncclMemAlloc(reinterpret_cast<void**>(&data), count * sizeof(T)));
    RT_CHECK(ncclCommWindowRegister(comm, data, count * sizeof(T), &window, NCCL_WIN_COLL_SYMMETRIC));
  }
  ~WindowOf() {  // all ranks must be done with it: verdict() comes first
    RT_CHECK(ncclCommWindowDeregister(comm, window));
    RT_CHECK(ncclMemFree(data));
  }
};
