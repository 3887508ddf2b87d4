// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Kernels that lack one wait or flush each, beside their sound twins. A case prints "good" or "bad" for the data it got;
// the sound ones are good under every schedule, the others only under a lucky one.
#include <nccl_device.h>

#include "check.h"

static ncclDevComm make_devcomm() {
  ncclDevCommRequirements reqs;
  std::memset(&reqs, 0, sizeof reqs);
  reqs.railGinBarrierCount = 2;
  reqs.ginSignalCount = 4;
  reqs.ginCounterCount = 2;
  ncclDevComm devcomm;
  NCCL(ncclDevCommCreate(comm, &reqs, &devcomm));
  return devcomm;
}

enum Flaw { kNone, kNoWait, kNoFlush, kOtherContext, kOtherSignal, kFlushIsNotDelivery, kCounterIsNotDelivery, kUnordered };

// Window: [0, 64) source, [64, 128) landing, [128, 192) what was read.
__global__ void exchange(ncclWindow_t win, ncclDevComm dc, int flaw) {
  ncclGin gin{dc, 0};
  ncclGin other{dc, 1};
  // A barrier in the put's own context would cover it.
  ncclGin apart{dc, 3};
  ncclTeam const world = ncclTeamWorld(dc);
  ncclCoopCta const cta;
  int* p = (int*)ncclGetLocalPointer(win, 0);
  int const right = (world.rank + 1) % world.nRanks;
  int const t = threadIdx.x;
  ncclGinBarrierSession<ncclCoopCta> bar{cta, apart, world, dc.railGinBarrier, 0};
  if (t == 0) {
    switch (flaw) {
      case kOtherContext:
        gin.put(world, right, win, 256, win, 0, 256);
        other.signal(world, right, ncclGin_SignalInc{0});
        break;
      case kOtherSignal:
        // The signal goes first: it covers nothing that follows.
        gin.signal(world, right, ncclGin_SignalInc{0});
        gin.put(world, right, win, 256, win, 0, 256);
        break;
      case kUnordered:
        gin.put(world, right, win, 256, win, 768, 256);
        gin.put(world, right, win, 256, win, 0, 256);
        gin.signal(world, right, ncclGin_SignalInc{0});
        break;
      default: gin.put(world, right, win, 256, win, 0, 256, ncclGin_SignalInc{0}, ncclGin_CounterInc{0}); break;
    }
  }
  __syncthreads();
  if (flaw == kCounterIsNotDelivery) {
    gin.waitCounter(cta, 0, 1);
  } else if (flaw != kNoFlush) {
    gin.flush(cta);
  }
  if (flaw == kNoFlush) p[t] = -5;
  if (flaw == kNoWait || flaw == kFlushIsNotDelivery || flaw == kCounterIsNotDelivery) {
    bar.sync(cta, cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
  } else if (flaw == kOtherContext) {
    other.waitSignal(cta, 0, 1);
  } else {
    gin.waitSignal(cta, 0, 1);
  }
  p[128 + t] = p[64 + t];
  __syncthreads();
  // Nothing is in flight when the kernel ends.
  bar.sync(cta, cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
}

static void run_flaw(Flaw flaw) {
  int* p = symmetric_array<int>(256, -9);
  std::vector<int> h(64);
  for (int i = 0; i < 64; ++i) h[i] = my_rank * 100 + i;
  CUDA(cudaMemcpy(p, h.data(), 256, cudaMemcpyHostToDevice));
  ncclWindow_t const win = window_of(p, 1024);
  ncclDevComm dc = make_devcomm();
  exchange<<<1, 64, 0, stream>>>(win, dc, flaw);
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(p, 256);
  int const left = (my_rank + n_ranks - 1) % n_ranks;
  bool good = true;
  for (int i = 0; i < 64; ++i) good = good && h[128 + i] == left * 100 + i;
  printf("%s\n", good ? "good" : "bad");
}
template <Flaw flaw>
static void run() {
  run_flaw(flaw);
}

int main(int argc, char** argv) {
  return run_case(argc, argv, {{"none", run<kNone>}, {"no_wait", run<kNoWait>}, {"no_flush", run<kNoFlush>},
                               {"other_context", run<kOtherContext>}, {"other_signal", run<kOtherSignal>},
                               {"flush_is_not_delivery", run<kFlushIsNotDelivery>},
                               {"counter_is_not_delivery", run<kCounterIsNotDelivery>}, {"unordered", run<kUnordered>}});
}
