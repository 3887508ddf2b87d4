// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "transform/seed_text.hpp"

/// @file
/// What a good model answers for seeds/alltoall.cu, step by step and for both interfaces.

namespace cuco::testing {

/// `text` with each `from` replaced by its `to`, once; an absent one leaves a mark that fails every test.
inline std::string with_changes(std::string text,
                                std::vector<std::pair<std::string, std::string>> const& changes) {
  for (auto const& [from, to] : changes) {
    std::size_t const at = text.find(from);
    if (at == std::string::npos) return "not found: " + from;
    text.replace(at, from.size(), to);
  }
  return text;
}

inline std::string host_alltoall() {
  return seed_text("alltoall.cu");
}

inline constexpr char const* kHostCall =
    "NCCL_CHECK(ncclAlltoAll(d_send, d_recv, count, ncclUint32, comm, stream));";

/// Stage A: windows and a device communicator, host collectives kept.
inline std::string infrastructure_alltoall(bool gin = false) {
  std::string const counts = gin ? R"(  reqs.barrierCount = 4;
  reqs.ginSignalCount = 4;
#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 29, 7)
  reqs.ginConnectionType = NCCL_GIN_CONNECTION_FULL;
#else
  reqs.ginForceEnable = true;
#endif
)"
                                 : "  reqs.lsaBarrierCount = 4;\n";
  return with_changes(
      host_alltoall(),
      {{"#include <nccl.h>\n", "#include <nccl.h>\n#include <nccl_device.h>\n"},
       {"CUDA_CHECK(cudaMalloc(&d_send, total * sizeof(uint32_t)));",
        "NCCL_CHECK(ncclMemAlloc((void**)&d_send, total * sizeof(uint32_t)));"},
       {"CUDA_CHECK(cudaMalloc(&d_recv, total * sizeof(uint32_t)));",
        "NCCL_CHECK(ncclMemAlloc((void**)&d_recv, total * sizeof(uint32_t)));\n"
        "  ncclWindow_t sendWindow = nullptr, recvWindow = nullptr;\n"
        "  NCCL_CHECK(ncclCommWindowRegister(comm, d_send, total * sizeof(uint32_t), &sendWindow, "
        "NCCL_WIN_COLL_SYMMETRIC));\n"
        "  NCCL_CHECK(ncclCommWindowRegister(comm, d_recv, total * sizeof(uint32_t), &recvWindow, "
        "NCCL_WIN_COLL_SYMMETRIC));\n"
        "  ncclDevComm devComm{};\n"
        "#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 29, 0)\n"
        "  ncclDevCommRequirements reqs = NCCL_DEV_COMM_REQUIREMENTS_INITIALIZER;\n"
        "#else\n"
        "  ncclDevCommRequirements reqs{};\n"
        "#endif\n" +
            counts +
            "  NCCL_CHECK(ncclDevCommCreate(comm, &reqs, &devComm));\n"
            "  (void)cudaGetLastError();"},
       {"  CUDA_CHECK(cudaFree(d_send));\n  CUDA_CHECK(cudaFree(d_recv));\n",
        "  CUDA_CHECK(cudaDeviceSynchronize());\n"
        "  MPI_CHECK(MPI_Barrier(MPI_COMM_WORLD));\n"
        "  NCCL_CHECK(ncclDevCommDestroy(comm, &devComm));\n"
        "  NCCL_CHECK(ncclCommWindowDeregister(comm, sendWindow));\n"
        "  NCCL_CHECK(ncclCommWindowDeregister(comm, recvWindow));\n"
        "  NCCL_CHECK(ncclMemFree(d_send));\n  NCCL_CHECK(ncclMemFree(d_recv));\n"}});
}

inline constexpr char const* kLsaKernel =
    R"(__global__ void exchange(ncclDevComm dev, ncclWindow_t send, ncclWindow_t recv, size_t count) {
  ncclLsaBarrierSession<ncclCoopCta> bar(ncclCoopCta(), dev, ncclTeamTagLsa(), blockIdx.x);
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
  const uint32_t* in = (const uint32_t*)ncclGetLocalPointer(send, 0);
  for (int p = 0; p < dev.nRanks; ++p) {
    uint32_t* out = (uint32_t*)ncclGetLsaPointer(recv, dev.rank * count * sizeof(uint32_t), p);
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x)
      out[i] = in[p * count + i];
  }
  bar.sync(ncclCoopCta(), cuda::memory_order_release);
}

)";

inline constexpr char const* kGinKernel =
    R"(__global__ void exchange(ncclDevComm dev, ncclWindow_t send, ncclWindow_t recv, size_t count) {
  ncclGin gin(dev, 0);
  const uint64_t before = gin.readSignal(0);
  ncclBarrierSession<ncclCoopCta> bar(ncclCoopCta(), ncclTeamTagWorld(), gin, 0);
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
  const size_t bytes = count * sizeof(uint32_t);
  for (int p = threadIdx.x; p < dev.nRanks; p += blockDim.x)
    gin.put(ncclTeamWorld(dev), p, recv, dev.rank * bytes, send, p * bytes, bytes, ncclGin_SignalInc{0});
  gin.waitSignal(ncclCoopCta(), 0, before + dev.nRanks);
  gin.flush(ncclCoopCta());
}

)";

/// Stage B: a kernel in place of the collective.
inline std::string device_alltoall(bool gin = false) {
  return with_changes(infrastructure_alltoall(gin),
                      {{"// What rank `rank` sends",
                        std::string(gin ? kGinKernel : kLsaKernel) + "// What rank `rank` sends"},
                       {kHostCall,
                        std::string("exchange<<<") + (gin ? "1" : "4") +
                            ", 128, 0, stream>>>(devComm, sendWindow, recvWindow, count);\n"
                            "    CUDA_CHECK(cudaGetLastError());"}});
}

}  // namespace cuco::testing
