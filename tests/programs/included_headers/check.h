// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Error checking of the k-means program: any failure ends the whole job.

#ifndef KMEANS_CHECK_H
#define KMEANS_CHECK_H

#include <stdio.h>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#define KM_DIE(what, why)                                                      \
  do {                                                                         \
    fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, (what), (why));     \
    MPI_Abort(MPI_COMM_WORLD, 99);                                             \
  } while (0)

#define KM_CUDA(expression)                                                    \
  do {                                                                         \
    const cudaError_t km_error = (expression);                                 \
    if (km_error != cudaSuccess)                                               \
      KM_DIE(#expression, cudaGetErrorString(km_error));                       \
  } while (0)

#define KM_NCCL(expression)                                                    \
  do {                                                                         \
    const ncclResult_t km_result = (expression);                               \
    if (km_result != ncclSuccess)                                              \
      KM_DIE(#expression, ncclGetErrorString(km_result));                      \
  } while (0)

#define KM_LAUNCH(kernel, items, stream, ...)                                  \
  do {                                                                         \
    (kernel)<<<((items) + 127) / 128, 128, 0, (stream)>>>(__VA_ARGS__);        \
    KM_CUDA(cudaPeekAtLastError());                                            \
  } while (0)

#endif  // KMEANS_CHECK_H
