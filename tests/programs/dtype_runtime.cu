// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// A small collective tester whose element type and reduction are chosen on the command line; all buffers are plain
// bytes. Per repetition: AllReduce, AllGather and ReduceScatter.
//
// usage: mpirun -np N ./dtype_runtime [int8|uint8|int32|uint32|int64|uint64|half|float|double] [sum|prod|max|min] [bytes per rank]

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

enum ElemType { T_INT8, T_UINT8, T_INT32, T_UINT32, T_INT64, T_UINT64, T_HALF, T_FLOAT, T_DOUBLE, T_COUNT };
enum OpType { O_SUM, O_PROD, O_MAX, O_MIN, O_COUNT };

static const char* const kTypeNames[T_COUNT] = {"int8",   "uint8", "int32", "uint32", "int64",
                                                "uint64", "half",  "float", "double"};
static const char* const kOpNames[O_COUNT] = {"sum", "prod", "max", "min"};

static ncclDataType_t toNcclType(enum ElemType type) {
  switch (type) {
    case T_INT8: return ncclInt8;
    case T_UINT8: return ncclUint8;
    case T_INT32: return ncclInt32;
    case T_UINT32: return ncclUint32;
    case T_INT64: return ncclInt64;
    case T_UINT64: return ncclUint64;
    case T_HALF: return ncclFloat16;
    case T_FLOAT: return ncclFloat32;
    case T_DOUBLE: return ncclFloat64;
    default: abort();
  }
}

static size_t elemSize(enum ElemType type) {
  switch (type) {
    case T_INT8:
    case T_UINT8: return 1;
    case T_HALF: return 2;
    case T_INT32:
    case T_UINT32:
    case T_FLOAT: return 4;
    default: return 8;
  }
}

static ncclRedOp_t toNcclOp(enum OpType op) {
  switch (op) {
    case O_PROD: return ncclProd;
    case O_MAX: return ncclMax;
    case O_MIN: return ncclMin;
    default: return ncclSum;
  }
}

static void ncclOrDie(ncclResult_t r, const char* what) {
  if (r != ncclSuccess) {
    fprintf(stderr, "%s: %s\n", what, ncclGetErrorString(r));
    exit(2);
  }
}
static void cudaOrDie(cudaError_t e, const char* what) {
  if (e != cudaSuccess) {
    fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(e));
    exit(3);
  }
}

// 0 … 15 for sums and extrema, 1 or 2 for products.
__host__ __device__ static int valueAt(size_t i, int rank, int rep, int op) {
  uint64_t x = (uint64_t)i + ((uint64_t)rank << 40) + ((uint64_t)rep << 52);
  x = (x ^ (x >> 32)) * 0x4cd6944c5cc20b6dULL;
  x = (x ^ (x >> 29)) * 0xfc12c5b19d3259e9ULL;
  x ^= x >> 32;
  return op == O_PROD ? 1 + (int)(x % 5 == 0) : (int)(x % 16);
}

// Stores a small integer as an element of a type known at run time only.
__host__ __device__ static void store(void* base, size_t i, int type, int64_t v) {
  switch (type) {
    case T_INT8: ((int8_t*)base)[i] = (int8_t)v; break;
    case T_UINT8: ((uint8_t*)base)[i] = (uint8_t)v; break;
    case T_INT32: ((int32_t*)base)[i] = (int32_t)v; break;
    case T_UINT32: ((uint32_t*)base)[i] = (uint32_t)v; break;
    case T_INT64: ((int64_t*)base)[i] = v; break;
    case T_UINT64: ((uint64_t*)base)[i] = (uint64_t)v; break;
    case T_HALF: ((__half*)base)[i] = __float2half((float)v); break;
    case T_FLOAT: ((float*)base)[i] = (float)v; break;
    default: ((double*)base)[i] = (double)v; break;
  }
}

__global__ void initData(void* buf, size_t count, int type, int rank, int rep, int op) {
  const size_t stride = (size_t)blockDim.x * gridDim.x;
  for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < count; i += stride) {
    store(buf, i, type, valueAt(i, rank, rep, op));
  }
}

static int64_t reduceAll(size_t i, int nranks, int rep, int op) {
  int64_t acc = valueAt(i, 0, rep, op);
  for (int r = 1; r < nranks; r++) {
    const int64_t v = valueAt(i, r, rep, op);
    if (op == O_SUM) acc += v;
    else if (op == O_PROD) acc *= v;
    else if (op == O_MAX) acc = v > acc ? v : acc;
    else acc = v < acc ? v : acc;
  }
  return acc;
}

static int lookup(const char* name, const char* const* names, int n) {
  for (int i = 0; i < n; i++)
    if (strcmp(name, names[i]) == 0) return i;
  fprintf(stderr, "what is '%s'?\n", name);
  exit(1);
}

static double nowMs(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return ts.tv_sec * 1e3 + ts.tv_nsec * 1e-6;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, nranks, ndev;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);

  const enum ElemType type = argc > 1 ? (enum ElemType)lookup(argv[1], kTypeNames, T_COUNT) : T_FLOAT;
  const enum OpType op = argc > 2 ? (enum OpType)lookup(argv[2], kOpNames, O_COUNT) : O_SUM;
  const size_t nbytes = argc > 3 ? strtoull(argv[3], NULL, 10) : 12000;
  const ncclDataType_t dtype = toNcclType(type);
  const ncclRedOp_t redop = toNcclOp(op);
  const size_t esize = elemSize(type);
  const size_t sliceBytes = nbytes / esize * esize;     // of one rank
  const size_t totalBytes = sliceBytes * nranks;
  const size_t guardBytes = 128;

  cudaOrDie(cudaGetDeviceCount(&ndev), "cudaGetDeviceCount");
  cudaOrDie(cudaSetDevice(rank % ndev), "cudaSetDevice");
  ncclUniqueId id;
  if (rank == 0) ncclOrDie(ncclGetUniqueId(&id), "ncclGetUniqueId");
  MPI_Bcast(&id, NCCL_UNIQUE_ID_BYTES, MPI_CHAR, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  ncclOrDie(ncclCommInitRank(&comm, nranks, id, rank), "ncclCommInitRank");
  cudaStream_t stream;
  cudaOrDie(cudaStreamCreate(&stream), "cudaStreamCreate");

  void *sendbuf, *reduced, *gathered, *scattered;
  cudaOrDie(cudaMalloc(&sendbuf, totalBytes), "sendbuf");
  cudaOrDie(cudaMalloc(&reduced, totalBytes + guardBytes), "reduced");
  cudaOrDie(cudaMalloc(&gathered, totalBytes + guardBytes), "gathered");
  cudaOrDie(cudaMalloc(&scattered, sliceBytes + guardBytes), "scattered");
  char* const expected = (char*)malloc(totalBytes + guardBytes);
  char* const actual = (char*)malloc(totalBytes + guardBytes);

  const int reps = 3;
  double ms = 0;
  int wrong = 0;
  for (int rep = 0; rep < reps; rep++) {
    initData<<<16, 64, 0, stream>>>(sendbuf, totalBytes / esize, type, rank, rep, op);
    cudaOrDie(cudaGetLastError(), "initData");
    cudaOrDie(cudaMemsetAsync(reduced, 0x5a, totalBytes + guardBytes, stream), "memset");
    cudaOrDie(cudaMemsetAsync(gathered, 0x5a, totalBytes + guardBytes, stream), "memset");
    cudaOrDie(cudaMemsetAsync(scattered, 0x5a, sliceBytes + guardBytes, stream), "memset");
    cudaOrDie(cudaStreamSynchronize(stream), "init");
    MPI_Barrier(MPI_COMM_WORLD);

    const double start = nowMs();
    ncclOrDie(ncclAllReduce(sendbuf, reduced, totalBytes / esize, dtype, redop, comm, stream), "ncclAllReduce");
    // Every rank contributes the slice that carries its number.
    ncclOrDie(ncclAllGather((const char*)sendbuf + rank * sliceBytes, gathered, sliceBytes / esize, dtype, comm, stream),
              "ncclAllGather");
    ncclOrDie(ncclReduceScatter(sendbuf, scattered, sliceBytes / esize, dtype, redop, comm, stream),
              "ncclReduceScatter");
    cudaOrDie(cudaStreamSynchronize(stream), "collectives");
    ms += nowMs() - start;

    // Byte images of the three results, guards included.
    const size_t n = totalBytes / esize, slice = sliceBytes / esize;
    memset(expected, 0x5a, totalBytes + guardBytes);
    for (size_t i = 0; i < n; i++) store(expected, i, type, reduceAll(i, nranks, rep, op));
    cudaOrDie(cudaMemcpy(actual, reduced, totalBytes + guardBytes, cudaMemcpyDeviceToHost), "copy");
    wrong += memcmp(expected, actual, totalBytes + guardBytes) != 0;

    cudaOrDie(cudaMemcpy(actual, scattered, sliceBytes + guardBytes, cudaMemcpyDeviceToHost), "copy");
    wrong += memcmp(expected + rank * sliceBytes, actual, sliceBytes) != 0;
    wrong += memcmp(expected + totalBytes, actual + sliceBytes, guardBytes) != 0;

    for (size_t i = 0; i < n; i++) store(expected, i, type, valueAt(i, (int)(i / slice), rep, op));
    cudaOrDie(cudaMemcpy(actual, gathered, totalBytes + guardBytes, cudaMemcpyDeviceToHost), "copy");
    wrong += memcmp(expected, actual, totalBytes + guardBytes) != 0;
  }

  printf("Time: %.4f ms\n", ms / reps);
  printf("Verification: %s\n", wrong ? "FAIL" : "PASS");

  free(actual);
  free(expected);
  cudaOrDie(cudaFree(scattered), "free");
  cudaOrDie(cudaFree(gathered), "free");
  cudaOrDie(cudaFree(reduced), "free");
  cudaOrDie(cudaFree(sendbuf), "free");
  cudaOrDie(cudaStreamDestroy(stream), "cudaStreamDestroy");
  ncclOrDie(ncclCommDestroy(comm), "ncclCommDestroy");
  MPI_Finalize();
  return wrong ? 1 : 0;
}
