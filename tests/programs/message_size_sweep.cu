// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Collective benchmark: sweeps over message sizes for a table of collectives, checks every result of every size and
// reports the total time. With -v rank 0 also prints the latency of every entry to stderr.
//
// usage: message_size_sweep [-v] [-b minElements] [-e maxElements] [-f factor] [-n repetitions]

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>
#include <unistd.h>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#define CUDA_CALL(cmd)                                                                                      \
  do {                                                                                                      \
    cudaError_t error = (cmd);                                                                              \
    if (error != cudaSuccess) die(__LINE__, #cmd, cudaGetErrorString(error));                               \
  } while (0)
#define NCCL_CALL(cmd)                                                                                      \
  do {                                                                                                      \
    ncclResult_t error = (cmd);                                                                             \
    if (error != ncclSuccess) die(__LINE__, #cmd, ncclGetErrorString(error));                               \
  } while (0)

[[noreturn]] static void die(int line, const char* cmd, const char* why) {
  fprintf(stderr, "message_size_sweep.cu:%d: %s: %s\n", line, cmd, why);
  MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
  abort();
}

struct Args {
  void* sendbuff;
  void* recvbuff;
  size_t count;  // the size of the sweep; what it means is up to the collective, as in the API
  int root;
  ncclComm_t comm;
  cudaStream_t stream;
};

__host__ __device__ static inline int testValue(unsigned seed, int rank, size_t i) {
  unsigned h = seed * 0xcc9e2d51u + static_cast<unsigned>(rank) * 0x1b873593u + static_cast<unsigned>(i);
  h = ((h >> 16) ^ h) * 0x45d9f3bu;
  h = ((h >> 16) ^ h) * 0x45d9f3bu;
  return static_cast<int>(((h >> 16) ^ h) & 0xfffffu) - 0x80000;
}

__global__ void initData(int* data, size_t n, unsigned seed, int rank) {
  for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) data[i] = testValue(seed, rank, i);
}

typedef ncclResult_t (*RunFunction)(const Args&);
// What element i of the rank's receive buffer must be.
typedef std::function<int(unsigned seed, int rank, int ranks, int root, size_t count, size_t i)> Expected;

struct Collective {
  const char* name;
  RunFunction run;
  size_t (*sendCount)(size_t count, int ranks);
  size_t (*recvCount)(size_t count, int ranks);
  Expected expected;
};

static ncclResult_t runAllReduceSum(const Args& a) {
  return ncclAllReduce(a.sendbuff, a.recvbuff, a.count, ncclInt, ncclSum, a.comm, a.stream);
}
static ncclResult_t runAllReduceMin(const Args& a) {
  return ncclAllReduce(a.sendbuff, a.recvbuff, a.count, ncclInt, ncclMin, a.comm, a.stream);
}
static ncclResult_t runBroadcast(const Args& a) {
  return ncclBroadcast(a.sendbuff, a.recvbuff, a.count, ncclInt, a.root, a.comm, a.stream);
}
static ncclResult_t runAllGather(const Args& a) {
  return ncclAllGather(a.sendbuff, a.recvbuff, a.count, ncclInt, a.comm, a.stream);
}
static ncclResult_t runReduceScatter(const Args& a) {
  return ncclReduceScatter(a.sendbuff, a.recvbuff, a.count, ncclInt, ncclSum, a.comm, a.stream);
}
static ncclResult_t runAlltoAll(const Args& a) {
  return ncclAlltoAll(a.sendbuff, a.recvbuff, a.count, ncclInt, a.comm, a.stream);
}

static size_t one(size_t count, int) { return count; }
static size_t perRank(size_t count, int ranks) { return count * ranks; }

static int sumOver(unsigned seed, int ranks, size_t i) {
  int sum = 0;
  for (int r = 0; r < ranks; r++) sum += testValue(seed, r, i);
  return sum;
}

static std::vector<Collective> collectiveTable() {
  std::vector<Collective> table;
  table.push_back({"all_reduce_sum", runAllReduceSum, one, one,
                   [](unsigned seed, int, int ranks, int, size_t, size_t i) { return sumOver(seed, ranks, i); }});
  table.push_back({"all_reduce_min", runAllReduceMin, one, one, [](unsigned seed, int, int ranks, int, size_t, size_t i) {
                     int low = testValue(seed, 0, i);
                     for (int r = 1; r < ranks; r++) low = testValue(seed, r, i) < low ? testValue(seed, r, i) : low;
                     return low;
                   }});
  table.push_back({"broadcast", runBroadcast, one, one,
                   [](unsigned seed, int, int, int root, size_t, size_t i) { return testValue(seed, root, i); }});
  table.push_back({"all_gather", runAllGather, one, perRank, [](unsigned seed, int, int, int, size_t count, size_t i) {
                     return testValue(seed, static_cast<int>(i / count), i % count);
                   }});
  table.push_back({"reduce_scatter", runReduceScatter, perRank, one, [](unsigned seed, int rank, int ranks, int, size_t count, size_t i) {
                     return sumOver(seed, ranks, rank * count + i);
                   }});
  table.push_back({"all_to_all", runAlltoAll, perRank, perRank, [](unsigned seed, int rank, int, int, size_t count, size_t i) {
                     return testValue(seed, static_cast<int>(i / count), rank * count + i % count);
                   }});
  return table;
}

int main(int argc, char* argv[]) {
  MPI_Init(&argc, &argv);
  int rank, ranks;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);

  bool verbose = false;
  size_t minCount = 1, maxCount = 2048;
  int factor = 8, repetitions = 2;
  for (int opt; (opt = getopt(argc, argv, "vb:e:f:n:")) != -1;) {
    switch (opt) {
      case 'v': verbose = true; break;
      case 'b': minCount = strtoull(optarg, nullptr, 0); break;
      case 'e': maxCount = strtoull(optarg, nullptr, 0); break;
      case 'f': factor = atoi(optarg); break;
      case 'n': repetitions = atoi(optarg); break;
      default: MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
    }
  }
  if (minCount < 1 || factor < 2 || repetitions < 1) die(__LINE__, "options", "out of range");

  int devices;
  CUDA_CALL(cudaGetDeviceCount(&devices));
  CUDA_CALL(cudaSetDevice(rank % devices));
  ncclUniqueId ncclId;
  if (rank == 0) NCCL_CALL(ncclGetUniqueId(&ncclId));
  MPI_Bcast(&ncclId, sizeof(ncclId), MPI_BYTE, 0, MPI_COMM_WORLD);

  Args args{};
  NCCL_CALL(ncclCommInitRank(&args.comm, ranks, ncclId, rank));
  CUDA_CALL(cudaStreamCreateWithFlags(&args.stream, cudaStreamNonBlocking));
  cudaEvent_t start, stop;
  CUDA_CALL(cudaEventCreate(&start));
  CUDA_CALL(cudaEventCreate(&stop));

  // One pair of buffers, large enough for everything, and one element more as a fence.
  const size_t capacity = maxCount * ranks + 1;
  CUDA_CALL(cudaMalloc(&args.sendbuff, capacity * sizeof(int)));
  CUDA_CALL(cudaMalloc(&args.recvbuff, capacity * sizeof(int)));
  std::vector<int> result(capacity);

  const std::vector<Collective> table = collectiveTable();
  double totalMs = 0;
  size_t errors = 0;
  unsigned seed = 0;
  for (size_t count = minCount; count <= maxCount; count *= factor) {
    for (const Collective& coll : table) {
      args.count = count;
      const size_t sends = coll.sendCount(count, ranks), receives = coll.recvCount(count, ranks);
      double ms = 0;
      for (int rep = 0; rep < repetitions; rep++) {
        args.root = static_cast<int>(++seed % ranks);
        initData<<<8, 128, 0, args.stream>>>(static_cast<int*>(args.sendbuff), sends, seed, rank);
        CUDA_CALL(cudaMemsetAsync(args.recvbuff, 0x80, capacity * sizeof(int), args.stream));
        CUDA_CALL(cudaStreamSynchronize(args.stream));
        MPI_Barrier(MPI_COMM_WORLD);

        CUDA_CALL(cudaEventRecord(start, args.stream));
        NCCL_CALL(coll.run(args));
        CUDA_CALL(cudaEventRecord(stop, args.stream));
        CUDA_CALL(cudaEventSynchronize(stop));
        float t;
        CUDA_CALL(cudaEventElapsedTime(&t, start, stop));
        ms += t;

        CUDA_CALL(cudaMemcpy(result.data(), args.recvbuff, (receives + 1) * sizeof(int), cudaMemcpyDeviceToHost));
        for (size_t i = 0; i < receives; i++)
          if (result[i] != coll.expected(seed, rank, ranks, args.root, count, i)) errors++;
        if (static_cast<unsigned>(result[receives]) != 0x80808080u) errors++;
      }
      if (verbose && rank == 0) fprintf(stderr, "%-16s %10zu B %10.2f us\n", coll.name, count * sizeof(int), 1e3 * ms / repetitions);
      totalMs += ms;
    }
  }

  CUDA_CALL(cudaFree(args.sendbuff));
  CUDA_CALL(cudaFree(args.recvbuff));
  CUDA_CALL(cudaEventDestroy(start));
  CUDA_CALL(cudaEventDestroy(stop));
  CUDA_CALL(cudaStreamDestroy(args.stream));
  NCCL_CALL(ncclCommDestroy(args.comm));

  printf("Time: %.3f ms\n", totalMs);
  printf("Verification: %s\n", errors == 0 ? "PASS" : "FAIL");
  MPI_Finalize();
  return errors == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
