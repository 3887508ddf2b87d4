// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/communicator_text.hpp"
#include "cuco/transform/codegen/exchange_host.hpp"
#include "cuco/transform/codegen/landing_text.hpp"
#include "cuco/transform/codegen/plan.hpp"

/// @file
/// The host side of device-initiated communication, as text: symmetric memory, windows, device communicator.

namespace cuco::impl {

inline constexpr char const* kInfrastructureBegin = "// cuco: infrastructure begin api=";
inline constexpr char const* kInfrastructureEnd = "// cuco: infrastructure end";

inline constexpr char const* kInfrastructureText = R"(// cuco: infrastructure begin api=@api@
// Memory that peers can reach, its windows, and the device communicator that kernels use. Registering is collective:
// it happens on first use, and every rank uses its buffers in the same order.
namespace device_nccl {

struct Allocation {
  char* base;
  size_t bytes;
};

struct Registration {
  ncclComm_t comm;
  char* base;
  ncclWindow_t window;
};

struct Communicator {
  ncclComm_t comm;
  ncclDevComm device;
};

// A byte of symmetric memory, in terms that hold on every rank.
struct Place {
  ncclWindow_t window;
  size_t offset;
};
inline __host__ __device__ Place operator+(Place place, size_t bytes) { return {place.window, place.offset + bytes}; }

// What the kernels need from the device communicator; defined with them.
struct Requirements {
@requirement_fields@};
@requirements_signature@;

// Never destroyed: an object at file scope may free its buffer when main has ended.
inline std::vector<Allocation>& allocations = *new std::vector<Allocation>;
inline std::vector<Registration>& registrations = *new std::vector<Registration>;
inline std::vector<Communicator>& communicators = *new std::vector<Communicator>;
@scratch_state@@exchange_state@
[[noreturn]] inline void stop(const char* what, const char* why) {
  std::fprintf(stderr, "device_nccl: %s: %s\n", what, why);
  std::abort();
}

inline void require(ncclResult_t status, const char* what) {
  if (status != ncclSuccess) stop(what, ncclGetErrorString(status));
}

// In place of cudaMalloc.
template <class T>
cudaError_t allocate(T** pointer, size_t bytes) {
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  void* base = nullptr;
  if (ncclMemAlloc(&base, bytes) != ncclSuccess) return cudaErrorMemoryAllocation;
  allocations.push_back({static_cast<char*>(base), bytes});
  *pointer = static_cast<T*>(base);
  return cudaSuccess;
}
@largest@@nccl_allocate@
// Unmaps the windows that `selected` names. The kernels that used them end by meeting their peers, so once they are
// over here, no peer uses this rank's memory any more. False after the end of CUDA, which has taken everything along.
template <class Selected>
bool unregister(Selected selected) {
  const cudaError_t status = cudaDeviceSynchronize();
  if (status == cudaErrorCudartUnloading) return false;
  if (status != cudaSuccess) stop("cudaDeviceSynchronize", "a kernel failed");
  for (size_t i = registrations.size(); i-- > 0;) {
    if (!selected(registrations[i])) continue;
    require(ncclCommWindowDeregister(registrations[i].comm, registrations[i].window), "ncclCommWindowDeregister");
    registrations.erase(registrations.begin() + i);
  }
  return true;
}

// In place of cudaFree; frees other device memory too.
inline cudaError_t release(void* pointer) {
  for (size_t i = 0; i < allocations.size(); ++i) {
    if (allocations[i].base != pointer) continue;
    if (!unregister([&](const Registration& r) { return r.base == pointer; })) return cudaErrorCudartUnloading;
    allocations.erase(allocations.begin() + i);
    return ncclMemFree(pointer) == ncclSuccess ? cudaSuccess : cudaErrorInvalidValue;
  }
  return cudaFree(pointer);
}
@nccl_release@
inline const Allocation* allocation_of(const void* pointer) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(pointer);
  for (const Allocation& a : allocations) {
    const uintptr_t base = reinterpret_cast<uintptr_t>(a.base);
    if (address >= base && address < base + a.bytes) return &a;
  }
  return nullptr;
}

// Where `pointer` lies; registers its allocation first if it must. At least `bytes` have to follow it.
inline Place place_of(ncclComm_t comm, const void* pointer, size_t bytes) {
  const Allocation* a = allocation_of(pointer);
  if (a == nullptr) stop("communication buffer", "not in memory that this program allocated as symmetric");
  const size_t offset = static_cast<const char*>(pointer) - a->base;
  if (bytes > a->bytes - offset) stop("communication buffer", "the collective reaches beyond its allocation");
  for (const Registration& r : registrations)
    if (r.comm == comm && r.base == a->base) return {r.window, offset};
  ncclWindow_t window = nullptr;
  require(ncclCommWindowRegister(comm, a->base, a->bytes, &window, NCCL_WIN_COLL_SYMMETRIC), "ncclCommWindowRegister");
  if (window == nullptr) stop("ncclCommWindowRegister", "this system does not support symmetric memory");
  registrations.push_back({comm, a->base, window});
  return {window, offset};
}

inline const ncclDevComm& communicator_of(ncclComm_t comm) {
  for (const Communicator& c : communicators)
    if (c.comm == comm) return c.device;
  const bool clean = cudaPeekAtLastError() == cudaSuccess;
@create@  if (clean) (void)cudaGetLastError();  // creating may leave an error behind that it has dealt with
@lsa_check@  communicators.push_back({comm, device});
@open_pipes@  return communicators.back().device;
}
@loads_and_stores@@scratch@
// Does now, outside timed regions, what the first collective on these buffers would do.
inline void prepare(ncclComm_t comm, std::initializer_list<const void*> buffers) {
  if (comm == nullptr) return;  // this rank has no part in it
  @prepare_device@communicator_of(comm);
  for (const void* buffer : buffers)
    if (allocation_of(buffer) != nullptr) place_of(comm, buffer, 0);
@prepare_scratch@}

@creations@@ending_text@}  // namespace device_nccl
// cuco: infrastructure end
)";

inline constexpr char const* kEndingText = R"(inline void forget(ncclComm_t comm) {
@close_pipes@  if (!unregister([&](const Registration& r) { return r.comm == comm; })) return;
  for (size_t i = communicators.size(); i-- > 0;) {
    if (communicators[i].comm != comm) continue;
    require(ncclDevCommDestroy(comm, &communicators[i].device), "ncclDevCommDestroy");
    communicators.erase(communicators.begin() + i);
  }
@forget_scratch@}

// In place of the NCCL calls that end a communicator.
@endings@)";

inline constexpr char const* kClosePipes =
    R"(  if (cudaDeviceSynchronize() == cudaErrorCudartUnloading) return;  // after the end of CUDA nothing is left
  close_pipes(comm);
)";

inline constexpr char const* kCreateDeviceCommunicator = R"(@ranks@  const Requirements wanted = @wanted@;
#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 29, 0)
  ncclDevCommRequirements needs = NCCL_DEV_COMM_REQUIREMENTS_INITIALIZER;
#else
  ncclDevCommRequirements needs{};
#endif
)";

inline constexpr char const* kGinNeeds = R"(  needs.barrierCount = wanted.barriers;
  needs.ginSignalCount = wanted.signals;
#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 29, 7)
  needs.ginConnectionType = NCCL_GIN_CONNECTION_FULL;
#else
  needs.ginForceEnable = true;
#endif
)";

inline constexpr char const* kLsaNeeds = "  needs.lsaBarrierCount = wanted.barriers;\n";

inline constexpr char const* kAutoNeeds = R"(  if (ncclTeamLsa(comm).nRanks == ranks) {
    needs.lsaBarrierCount = wanted.lsa_barriers;
  } else {  // Only here, as a host need not have one-sided networking.
    needs.barrierCount = wanted.barriers;
    needs.ginSignalCount = wanted.signals;
#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 29, 7)
    needs.ginConnectionType = NCCL_GIN_CONNECTION_FULL;
#else
    needs.ginForceEnable = true;
#endif
  }
)";

inline constexpr char const* kMakeDeviceCommunicator = R"(  ncclDevComm device{};
  require(ncclDevCommCreate(comm, &needs, &device), "ncclDevCommCreate");
)";

inline constexpr char const* kLoadsAndStores = R"(
// Whether all ranks of a communicator reach each other by load and store; their kernels do so then, and put else.
inline bool loads_and_stores(const ncclDevComm& device) { return device.lsaSize == device.nRanks; }
)";

inline constexpr char const* kNcclAllocate = R"(
// In place of ncclMemAlloc.
inline ncclResult_t mem_alloc(void** pointer, size_t bytes) {
  const ncclResult_t status = ncclMemAlloc(pointer, bytes);
  if (status == ncclSuccess) allocations.push_back({static_cast<char*>(*pointer), bytes});
  return status;
}
)";

inline constexpr char const* kNcclRelease = R"(
// In place of ncclMemFree.
inline ncclResult_t mem_free(void* pointer) {
  return release(pointer) == cudaSuccess ? ncclSuccess : ncclUnhandledCudaError;
}
)";

/// What of the helper a program uses.
struct InfrastructureOptions {
  Api api = Api::LSA;
  bool uses_nccl_mem_alloc = false;  ///< The program itself calls ncclMemAlloc for these buffers.
  bool uses_nccl_mem_free = false;
  bool landing = false;    ///< Some launcher needs landing buffers, see `needs_landing`.
  bool exchanges = false;  ///< There are sends and receives.
  std::vector<std::string>
      endings;  ///< ncclCommDestroy, ncclCommFinalize, ncclCommAbort, as the program uses them.
  std::vector<std::string> creations;  ///< ncclCommInitRank and so on, of a program that sends.
  bool creates_in_groups = false;      ///< Some of these calls are in groups of NCCL's.
  bool uses_largest = false;           ///< Some allocation differs in size between ranks.
};

/// The name that replaces an NCCL call which ends a communicator, for example comm_destroy.
inline std::string ending_name(std::string const& call) {
  return call == "ncclCommFinalize" ? "comm_finalize"
         : call == "ncclCommAbort"  ? "comm_abort"
                                    : "comm_destroy";
}

inline std::string infrastructure_text(InfrastructureOptions const& options) {
  bool const chooses = options.api == Api::Auto;
  bool const gin = options.api != Api::LSA;
  bool const scratch = options.landing;
  std::string endings;
  for (auto const& call : options.endings)
    endings += "inline ncclResult_t " + ending_name(call) +
               "(ncclComm_t comm) {\n  forget(comm);\n  return " + call + "(comm);\n}\n";
  std::string fields =
      chooses ? "  int lsa_barriers;  // where all ranks load and store; else the others\n" : "";
  fields += "  int barriers;\n";
  if (gin) fields += "  int signals;\n";
  if (scratch)
    fields +=
        "  int scratch_areas;\n  size_t scratch_bytes;  // of each, for buffers of up to `largest` bytes\n";
  std::string const signature = scratch ? "Requirements requirements(int ranks, size_t largest)"
                                : gin   ? "Requirements requirements(int ranks)"
                                        : "Requirements requirements()";
  std::string const wanted = scratch ? "requirements(ranks, 0)"
                             : gin   ? "requirements(ranks)"
                                     : "requirements()";
  std::string const ranks =
      gin || scratch ? "  int ranks = 0;\n  require(ncclCommCount(comm, &ranks), \"ncclCommCount\");\n" : "";
  std::string const create = render(kCreateDeviceCommunicator, {{"ranks", ranks}, {"wanted", wanted}});
  std::string const lsa_check =
      gin ? ""
          : "  if (device.lsaSize != device.nRanks)\n"
            "    stop(\"ncclDevCommCreate\", \"some ranks cannot reach each other by load "
            "and store\");\n";
  return render(kInfrastructureText,
                {{"api", to_string(options.api)},
                 {"requirement_fields", fields},
                 {"requirements_signature", signature},
                 {"scratch_state", scratch ? kScratchState : ""},
                 {"exchange_state", options.exchanges ? kExchangeDeclarations : ""},
                 {"open_pipes", options.exchanges ? "  open_pipes(comm, device);\n" : ""},
                 {"largest", options.uses_largest ? kAllocateLargest : ""},
                 {"creations", creations_text(options.creations, options.creates_in_groups)},
                 {"nccl_allocate", options.uses_nccl_mem_alloc ? kNcclAllocate : ""},
                 {"nccl_release", options.uses_nccl_mem_free ? kNcclRelease : ""},
                 {"create",
                  create +
                      (chooses ? kAutoNeeds
                       : gin   ? kGinNeeds
                               : kLsaNeeds) +
                      kMakeDeviceCommunicator},
                 {"loads_and_stores", chooses ? kLoadsAndStores : ""},
                 {"lsa_check", lsa_check},
                 {"scratch", scratch ? kScratchText : ""},
                 {"prepare_device", scratch ? "const ncclDevComm& device = " : ""},
                 {"prepare_scratch", scratch ? prepare_scratch_text(chooses) : ""},
                 {"ending_text",
                  options.endings.empty() ? ""
                                          : render(kEndingText,
                                                   {{"forget_scratch", scratch ? kForgetScratch : ""},
                                                    {"close_pipes", options.exchanges ? kClosePipes : ""},
                                                    {"endings", endings}})}});
}

}  // namespace cuco::impl
