// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the programs of this folder share: start-up, checks, and one `case` per program argument.
// A rank prints "ok <case>" when all its checks held, and "FAIL …" per check that did not.

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

inline int failures = 0;
inline int my_rank = 0;
inline int n_ranks = 1;
inline ncclComm_t comm = nullptr;
inline cudaStream_t stream = nullptr;

#define CHECK(condition)                                                                              \
  do {                                                                                                \
    if (!(condition) && ++failures < 6) printf("FAIL rank %d line %d: %s\n", my_rank, __LINE__, #condition); \
  } while (0)
#define CHECK_EQ(a, b)                                                                                       \
  do {                                                                                                       \
    auto const va = (a);                                                                                     \
    auto const vb = (b);                                                                                     \
    if (!(va == vb) && ++failures < 6)                                                                       \
      printf("FAIL rank %d line %d: %s = %g, %s = %g\n", my_rank, __LINE__, #a, (double)va, #b, (double)vb); \
  } while (0)
#define CUDA(call) CHECK_EQ((int)(call), (int)cudaSuccess)
#define NCCL(call) CHECK_EQ((int)(call), (int)ncclSuccess)

inline void start(int* argc, char*** argv) {
  MPI_Init(argc, argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &my_rank);
  MPI_Comm_size(MPI_COMM_WORLD, &n_ranks);
  int devices = 0;
  CUDA(cudaGetDeviceCount(&devices));
  CUDA(cudaSetDevice(my_rank % devices));
  ncclUniqueId id;
  if (my_rank == 0) NCCL(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  NCCL(ncclCommInitRank(&comm, n_ranks, id, my_rank));
  CUDA(cudaStreamCreate(&stream));
}

inline int finish(char const* name) {
  CUDA(cudaDeviceSynchronize());
  CUDA(cudaGetLastError());
  MPI_Barrier(MPI_COMM_WORLD);
  if (stream != nullptr) CUDA(cudaStreamDestroy(stream));
  if (comm != nullptr) NCCL(ncclCommDestroy(comm));
  if (failures == 0) printf("ok %s\n", name);
  MPI_Finalize();
  return failures == 0 ? 0 : 1;
}

template <class T>
T* device_array(std::size_t n, T fill = T()) {
  T* p = nullptr;
  CUDA(cudaMalloc(&p, n * sizeof(T)));
  std::vector<T> host(n, fill);
  CUDA(cudaMemcpy(p, host.data(), n * sizeof(T), cudaMemcpyHostToDevice));
  return p;
}
template <class T>
std::vector<T> to_host(T const* p, std::size_t n) {
  std::vector<T> host(n);
  CUDA(cudaMemcpy(host.data(), p, n * sizeof(T), cudaMemcpyDeviceToHost));
  return host;
}
/// Memory that can be a window.
template <class T>
T* symmetric_array(std::size_t n, T fill = T()) {
  void* p = nullptr;
  NCCL(ncclMemAlloc(&p, n * sizeof(T)));
  std::vector<T> host(n, fill);
  CUDA(cudaMemcpy(p, host.data(), n * sizeof(T), cudaMemcpyHostToDevice));
  return static_cast<T*>(p);
}
inline ncclWindow_t window_of(void* p, std::size_t bytes) {
  ncclWindow_t window = nullptr;
  NCCL(ncclCommWindowRegister(comm, p, bytes, &window, NCCL_WIN_COLL_SYMMETRIC));
  return window;
}
/// A value that depends on rank and place, small enough to add exactly in float.
inline float value_at(int rank, std::size_t i) { return static_cast<float>((rank + 1) * 131 + static_cast<int>(i % 1021)); }

using Case = void (*)();
struct NamedCase {
  char const* name;
  Case run;
};
template <std::size_t N>
int run_case(int argc, char** argv, NamedCase const (&cases)[N]) {
  start(&argc, &argv);
  char const* const wanted = argc > 1 ? argv[1] : "";
  for (NamedCase const& c : cases) {
    if (std::strcmp(c.name, wanted) != 0) continue;
    c.run();
    return finish(wanted);
  }
  printf("FAIL no case '%s'\n", wanted);
  MPI_Abort(MPI_COMM_WORLD, 2);
  return 2;
}
