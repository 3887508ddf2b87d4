// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Two-level gradient all-reduce for clusters whose nodes have fast links inside and slow ones between: reduce-scatter
// in the node, all-reduce of each slice across the nodes, all-gather in the node. Ranks that do not fill a node fold
// their gradient into a partner before and get the result from it afterwards.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#define CK(x) ck_(static_cast<int>(x), #x, __LINE__) // all three libraries say 0 for success

static void ck_(int code, const char *what, int line)
{
  if(code == 0)
    return;
  std::fprintf(stderr, "hierarchical_allreduce.cu:%d  %s  ->  %d\n", line, what, code);
  std::abort();
}

// Who is where. Only whole nodes take part in the split; the rest are "extras".
struct Topology
{
  int worldRank, worldSize, nodeSize;

  Topology(int rank, int size, int wantedNodeSize)
    : worldRank(rank), worldSize(size), nodeSize(std::max(1, std::min(wantedNodeSize, size)))
  {
  }
  int nodes() const { return worldSize / nodeSize; }
  int regular() const { return nodes() * nodeSize; }
  bool isExtra() const { return worldRank >= regular(); }
  int node() const { return worldRank / nodeSize; }
  int local() const { return worldRank % nodeSize; }
  // Extras are fewer than a node has ranks: partner them with the first ranks of node 0.
  int partner() const { return worldRank - regular(); }
  int extra() const { return regular() + worldRank; }
  bool hasExtra() const { return !isExtra() && extra() < worldSize; }
};

// Whole numbers up to 255 in magnitude, exact in float for more than 60000 ranks.
__host__ __device__ inline float gradient(int rank, int step, unsigned i)
{
  unsigned v = i * 2654435761u + static_cast<unsigned>(rank) * 40503u + static_cast<unsigned>(step) * 0x9e3779b9u;
  v ^= v >> 15;
  v *= 0x2c1b3c6du;
  v ^= v >> 12;
  v *= 0x297a2d39u;
  v ^= v >> 15;
  return static_cast<float>(static_cast<int>(v % 511u) - 255);
}

__global__ void backward(float *grad, unsigned n, unsigned padded, int rank, int step)
{
  for(unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < padded; i += gridDim.x * blockDim.x)
    grad[i] = i < n ? gradient(rank, step, i) : 0.0f; // the padding must not poison the sums
}

__global__ void accumulate(float *into, const float *from, unsigned n)
{
  for(unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    into[i] += from[i];
}

class HierarchicalAllReduce
{
public:
  HierarchicalAllReduce(ncclComm_t world, const Topology &topology, std::size_t count) : world_(world), topo_(topology)
  {
    slice_ = (count + topo_.nodeSize - 1) / topo_.nodeSize;
    // Extras pass NCCL_SPLIT_NOCOLOR: they call, but get no communicator.
    const int nodeColor = topo_.isExtra() ? NCCL_SPLIT_NOCOLOR : topo_.node();
    const int crossColor = topo_.isExtra() ? NCCL_SPLIT_NOCOLOR : topo_.local();
    CK(ncclCommSplit(world_, nodeColor, topo_.worldRank, &nodeComm_, nullptr));
    CK(ncclCommSplit(world_, crossColor, topo_.worldRank, &crossComm_, nullptr));
    if(topo_.hasExtra())
      CK(cudaMalloc((void **)&folded_, padded() * sizeof(float)));
    if(!topo_.isExtra())
      CK(cudaMalloc((void **)&mySlice_, slice_ * sizeof(float)));
  }

  ~HierarchicalAllReduce()
  {
    if(mySlice_)
      CK(cudaFree(mySlice_));
    if(folded_)
      CK(cudaFree(folded_));
    if(crossComm_)
      CK(ncclCommDestroy(crossComm_));
    if(nodeComm_)
      CK(ncclCommDestroy(nodeComm_));
  }

  HierarchicalAllReduce(const HierarchicalAllReduce &) = delete;
  HierarchicalAllReduce &operator=(const HierarchicalAllReduce &) = delete;

  std::size_t padded() const { return slice_ * topo_.nodeSize; } // what the buffers must hold

  void operator()(float *grad, float *result, cudaStream_t stream)
  {
    if(topo_.isExtra())
    {
      CK(ncclSend(grad, padded(), ncclFloat, topo_.partner(), world_, stream));
      CK(ncclRecv(result, padded(), ncclFloat, topo_.partner(), world_, stream));
      return;
    }
    if(topo_.hasExtra())
    {
      CK(ncclRecv(folded_, padded(), ncclFloat, topo_.extra(), world_, stream));
      accumulate<<<8, 128, 0, stream>>>(grad, folded_, static_cast<unsigned>(padded()));
    }
    CK(ncclReduceScatter(grad, mySlice_, slice_, ncclFloat, ncclSum, nodeComm_, stream));
    CK(ncclAllReduce(mySlice_, mySlice_, slice_, ncclFloat, ncclSum, crossComm_, stream));
    CK(ncclAllGather(mySlice_, result, slice_, ncclFloat, nodeComm_, stream));
    if(topo_.hasExtra())
      CK(ncclSend(result, padded(), ncclFloat, topo_.extra(), world_, stream));
  }

private:
  ncclComm_t world_, nodeComm_ = nullptr, crossComm_ = nullptr;
  Topology topo_;
  std::size_t slice_;
  float *folded_ = nullptr, *mySlice_ = nullptr;
};

static std::size_t check(const std::vector<float> &result, std::size_t n, int ranks, int step)
{
  std::size_t bad = 0;
  for(std::size_t i = 0; i < result.size(); ++i)
  {
    float expected = 0;
    for(int r = 0; r < ranks && i < n; ++r)
      expected += gradient(r, step, static_cast<unsigned>(i));
    bad += !(result[i] == expected); // the padding: zero
  }
  return bad;
}

int main(int argc, char **argv)
{
  CK(MPI_Init(&argc, &argv));
  int rank, size;
  CK(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  CK(MPI_Comm_size(MPI_COMM_WORLD, &size));

  const std::size_t n = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 9001;
  const Topology topology(rank, size, argc > 2 ? std::atoi(argv[2]) : 2);
  const int steps = argc > 3 ? std::atoi(argv[3]) : 3;

  int devices;
  CK(cudaGetDeviceCount(&devices));
  CK(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if(rank == 0)
    CK(ncclGetUniqueId(&id));
  CK(MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD));
  ncclComm_t world;
  CK(ncclCommInitRank(&world, size, id, rank));
  cudaStream_t stream;
  CK(cudaStreamCreate(&stream));

  std::size_t bad = 0;
  double ms = 0;
  {
    HierarchicalAllReduce allReduce(world, topology, n);
    const std::size_t padded = allReduce.padded();
    float *grad, *result;
    CK(cudaMalloc((void **)&grad, padded * sizeof(float)));
    CK(cudaMalloc((void **)&result, padded * sizeof(float)));
    std::vector<float> host(padded);

    for(int step = 0; step < steps; ++step)
    {
      CK(cudaMemsetAsync(result, 0xff, padded * sizeof(float), stream));
      CK(cudaStreamSynchronize(stream));
      CK(MPI_Barrier(MPI_COMM_WORLD));
      const auto begin = std::chrono::steady_clock::now();
      backward<<<8, 128, 0, stream>>>(grad, static_cast<unsigned>(n), static_cast<unsigned>(padded), rank, step);
      allReduce(grad, result, stream);
      CK(cudaStreamSynchronize(stream));
      ms += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();

      CK(cudaMemcpy(host.data(), result, padded * sizeof(float), cudaMemcpyDeviceToHost));
      bad += check(host, n, size, step);
    }
    CK(cudaFree(result));
    CK(cudaFree(grad));
  }

  std::printf("Time: %g ms\n", ms / steps);
  std::printf("Verification: %s\n", bad ? "FAIL" : "PASS");

  CK(cudaStreamDestroy(stream));
  CK(ncclCommDestroy(world));
  CK(MPI_Finalize());
  return bad != 0;
}
