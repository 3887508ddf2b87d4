// expect: data-race
// twin: lsa_streams_allgather.cu
// mistake: consume does not wait for the event of gather on the other stream
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "../include/mini_runtime.h"

#include <nccl_device.h>

#include <array>
#include <vector>

namespace {

constexpr int kValues = 96, kThreads = 32, kSteps = 5;

__global__ void produce(int* values, int rank, int step) {
  for (int i = threadIdx.x; i < kValues; i += blockDim.x) values[i] = rank * 1000 + step * 100 + i;
}

__global__ void gather(ncclWindow_t values, int* all, ncclDevComm dc) {
  const ncclTeam team = ncclTeamLsa(dc);
  ncclLsaBarrierSession<ncclCoopCta> bar(ncclCoopCta(), dc, ncclTeamTagLsa(), blockIdx.x);
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
  for (int p = blockIdx.x; p < team.nRanks; p += gridDim.x) {
    const int* peer = (const int*)ncclGetLsaPointer(values, 0, p);
    for (int i = threadIdx.x; i < kValues; i += blockDim.x) all[p * kValues + i] = peer[i];
  }
  bar.sync(ncclCoopCta(), cuda::memory_order_release);
}

__global__ void consume(const int* all, int nranks, int* sums, int step) {
  for (int i = threadIdx.x; i < kValues; i += blockDim.x) {
    int sum = 0;
    for (int p = 0; p < nranks; ++p) sum += all[p * kValues + i];
    sums[step * kValues + i] = sum;
  }
}

class Event {
 public:
  Event() { RT_CHECK(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming)); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  void record(cudaStream_t s) { RT_CHECK(cudaEventRecord(event_, s)); }
  void block(cudaStream_t s) { RT_CHECK(cudaStreamWaitEvent(s, event_, 0)); }

 private:
  cudaEvent_t event_;
};

int run(Runtime& rt) {
  constexpr int kBlocks = 2;
  WindowOf<int> values(rt.comm, kValues);
  ncclDevCommRequirements reqs{};
  reqs.lsaBarrierCount = kBlocks;
  ncclDevComm dc;
  RT_CHECK(ncclDevCommCreate(rt.comm, &reqs, &dc));
  int *all, *sums;
  RT_CHECK(cudaMalloc(&all, rt.nranks * kValues * sizeof(int)));
  RT_CHECK(cudaMalloc(&sums, kSteps * kValues * sizeof(int)));
  std::array<cudaStream_t, 3> s;
  for (auto& stream : s) RT_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  Event produced, gathered, consumed;

  for (int step = 0; step < kSteps; ++step) {
    if (step > 0) gathered.block(s[0]);
    produce<<<1, kThreads, 0, s[0]>>>(values.data, rt.rank, step);
    produced.record(s[0]);
    produced.block(s[1]);
    if (step > 0) consumed.block(s[1]);
    gather<<<kBlocks, kThreads, 0, s[1]>>>(values.window, all, dc);
    gathered.record(s[1]);
    consume<<<1, kThreads, 0, s[2]>>>(all, rt.nranks, sums, step);  // DEFECT
    consumed.record(s[2]);
  }
  RT_CHECK(cudaGetLastError());
  for (auto stream : s) RT_CHECK(cudaStreamSynchronize(stream));

  std::vector<int> got(kSteps * kValues);
  RT_CHECK(cudaMemcpy(got.data(), sums, got.size() * sizeof(int), cudaMemcpyDeviceToHost));
  int wrong = 0;
  for (int k = 0; k < kSteps * kValues; ++k)
    wrong += got[k] != 1000 * (rt.nranks * (rt.nranks - 1) / 2) + rt.nranks * (k / kValues * 100 + k % kValues);
  const int code = rt.verdict(wrong);
  for (auto stream : s) RT_CHECK(cudaStreamDestroy(stream));
  RT_CHECK(cudaFree(all));
  RT_CHECK(cudaFree(sums));
  RT_CHECK(ncclDevCommDestroy(rt.comm, &dc));
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  Runtime rt(&argc, &argv);
  return run(rt);
}
