// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cuco/transform/codegen/infrastructure.hpp"
#include "cuco/transform/codegen/section.hpp"
#include "transform/programs.hpp"

/// @file
/// A host-driven program of sends and receives: many patterns one after the other on the same communicators,
/// each compared byte by byte with what the host computes, guard bytes included.

namespace cuco::testing {

inline std::string exchange_program() {
  return prelude() + R"(
#include <string>
#include <unistd.h>

// A message, for its content.
struct Origin {
  int comm = -1, from = 0, to = 0, message = 0;
};

// What one rank does, in order: '(' and ')' open and close a group, 's' sends, 'r' receives, 'z' sleeps. What step
// `received` got is sent on when that is not -1; `origin` says what that is, on both sides.
struct Step {
  char what;
  int peer = 0;
  size_t count = 0;
  ncclDataType_t type = ncclUint8;
  int comm = 0, stream = 0;
  Origin origin = {};
  int received = -1;
};
struct Case {
  std::string name;
  std::vector<Step> steps;
};
struct World {
  std::vector<ncclComm_t> comms;
  std::vector<cudaStream_t> streams;
};

static size_t width(ncclDataType_t type) {
  return type == ncclUint8 ? 1 : type == ncclHalf || type == ncclBfloat16 ? 2 : type == ncclDouble ? 8 : 4;
}
static unsigned char byte_at(size_t i, int round, int where, int comm, int from, int to, int message) {
  return static_cast<unsigned char>(value_at(i, ((comm * 64 + from) * 64 + to) * 1024 + message, round * 131 + where));
}

static std::vector<Case> cases_of(int me, int n, int group_rank, int group_size) {
  std::vector<Case> all;
  auto add = [&](const char* name) -> std::vector<Step>& {
    all.push_back({name, {}});
    return all.back().steps;
  };
  const int next = (me + 1) % n, before = (me + n - 1) % n;
  {
    auto& s = add("ring");
    for (int k = 0; k < 3; ++k) {
      s.push_back({'('});
      s.push_back({'s', next, 1003, ncclFloat});
      s.push_back({'r', before, 1003, ncclFloat});
      s.push_back({')'});
    }
  }
  {
    auto& s = add("pairs");
    if ((me ^ 1) < n) {
      s.push_back({'('});
      s.push_back({'r', me ^ 1, 1500, ncclDouble});
      s.push_back({'s', me ^ 1, 1500, ncclDouble});
      s.push_back({')'});
    }
  }
  {
    auto& s = add("all to all");
    s.push_back({'('});
    for (int p = 0; p < n; ++p) s.push_back({'s', p, 777});
    for (int p = n - 1; p >= 0; --p) s.push_back({'r', p, 777});
    s.push_back({')'});
  }
  {
    auto& s = add("uneven, some empty");
    auto amount = [](int from, int to) { return size_t((from * 7 + to * 13) % 5) * 911; };
    s.push_back({'('});
    for (int p = 0; p < n; ++p) {
      s.push_back({'s', p, amount(me, p), ncclHalf});
      s.push_back({'r', p, amount(p, me), ncclHalf});
    }
    s.push_back({')'});
  }
  {
    auto& s = add("nothing");
    s.push_back({'('});
    s.push_back({')'});
    s.push_back({'('});
    s.push_back({'s', next, 0, ncclFloat});
    s.push_back({'r', before, 0, ncclFloat});
    s.push_back({')'});
  }
  {
    auto& s = add("to itself");
    s.push_back({'('});
    s.push_back({'s', me, 4097});
    s.push_back({'r', me, 4097});
    s.push_back({'s', me, 20001, ncclFloat});
    s.push_back({'r', me, 20001, ncclFloat});
    s.push_back({')'});
  }
  {
    auto& s = add("several messages of a pair, nested groups");
    s.push_back({'('});
    for (int k = 0; k < 6; ++k) {
      if (k % 3 == 0) s.push_back({'('});
      s.push_back({'s', next, size_t(k + 1) * 1317});
      s.push_back({'r', before, size_t(k + 1) * 1317});
      if (k % 3 == 2) s.push_back({')'});
    }
    s.push_back({')'});
  }
  {
    auto& s = add("300 pages");
    s.push_back({'('});
    for (int k = 0; k < 150; ++k) s.push_back({'s', (me + 1 + k % 2) % n, size_t(1 + k * 37 % 900), ncclBfloat16});
    for (int k = 0; k < 150; ++k)
      s.push_back({'r', (me + 2 * n - 1 - k % 2) % n, size_t(1 + k * 37 % 900), ncclBfloat16});
    s.push_back({')'});
  }
  {
    auto& s = add("600 pages of one pair");
    s.push_back({'('});
    for (int k = 0; k < 600; ++k) {
      if (me == 0) s.push_back({'s', n - 1, size_t(1 + k % 7)});
      if (me == n - 1) s.push_back({'r', 0, size_t(1 + k % 7)});
    }
    s.push_back({')'});
  }
  {
    auto& s = add("larger than the rings");
    s.push_back({'('});
    s.push_back({'s', next, 30001, ncclFloat});
    s.push_back({'s', before, 65537});
    s.push_back({'r', before, 30001, ncclFloat});
    s.push_back({'r', next, 65537});
    s.push_back({')'});
  }
  {
    auto& s = add("two communicators in a group");
    const int other = (group_rank + 1) % group_size, source = (group_rank + group_size - 1) % group_size;
    s.push_back({'('});
    s.push_back({'s', next, 5000, ncclFloat, 0, 0});
    s.push_back({'s', other, 7000, ncclFloat, 1, 1});
    s.push_back({'r', before, 5000, ncclFloat, 0, 0});
    s.push_back({'r', source, 7000, ncclFloat, 1, 1});
    s.push_back({')'});
  }
  {
    auto& s = add("independent communicators");
    s.push_back({'('});
    s.push_back({'s', next, 9001, ncclFloat, me % 2 == 0 ? 0 : 2, 0});
    s.push_back({'r', before, 9001, ncclFloat, before % 2 == 0 ? 0 : 2, 1});
    s.push_back({')'});
  }
  {
    auto& s = add("two streams in a group");
    s.push_back({'('});
    s.push_back({'s', next, 40001, ncclUint8, 0, me % 2});
    s.push_back({'r', before, 40001, ncclUint8, 0, 1 - me % 2});
    s.push_back({')'});
  }
  {
    auto& s = add("changing streams and partners");
    for (int k = 0; k < 2 * n + 1; ++k) {
      s.push_back({'('});
      s.push_back({'s', (me + k) % n, size_t(3000 + 17 * k), ncclUint8, 0, k % 3});
      s.push_back({'r', (me + 2 * n + 1 - k + n - 1) % n, size_t(3000 + 17 * k), ncclUint8, 0, k % 3});
      s.push_back({')'});
    }
  }
  {
    // Kernels of one communicator on streams that know nothing of each other.
    auto& s = add("one pair on alternating streams");
    for (int k = 0; k < 8; ++k) {
      s.push_back({'('});
      s.push_back({'s', next, 9000, ncclUint8, 0, k % 3});
      s.push_back({'r', before, 9000, ncclUint8, 0, k % 3});
      s.push_back({')'});
    }
  }
  {
    // What arrives on stream 1, with a kernel on stream 0, leaves on stream 1 with a kernel on stream 2.
    auto& s = add("forwarding across streams");
    s.push_back({'('});
    s.push_back({'s', next, 60001, ncclUint8, 2, 0});
    s.push_back({'r', before, 60001, ncclUint8, 2, 1});
    s.push_back({')'});
    s.push_back({'('});
    s.push_back({'r', before, 60001, ncclUint8, 0, 2, {2, (before + n - 1) % n, before, 0}});
    s.push_back({'s', next, 60001, ncclUint8, 0, 1, {2, before, me, 0}, 2});
    s.push_back({')'});
  }
  {
    auto& s = add("pipeline without groups");
    for (int k = 0; k < 4; ++k) {
      if (me > 0) s.push_back({'r', me - 1, 10007, ncclFloat});
      if (me < n - 1) s.push_back({'s', me + 1, 10007, ncclFloat});
    }
  }
  {
    auto& s = add("alternating without groups");
    for (int k = 0; k < 3; ++k) {
      const int peer = me ^ 1;
      if (peer >= n) break;
      s.push_back({me < peer ? 's' : 'r', peer, 20003});
      s.push_back({me < peer ? 'r' : 's', peer, 20003});
    }
  }
  {
    auto& s = add("to a root");
    s.push_back({'('});
    s.push_back({'s', 0, size_t(1000 * (me + 1) + 1)});
    for (int p = 0; me == 0 && p < n; ++p) s.push_back({'r', p, size_t(1000 * (p + 1) + 1)});
    s.push_back({')'});
  }
  {
    auto& s = add("one pair only");
    if (me == 0) s.push_back({'s', n - 1, 12345});
    if (me == n - 1) s.push_back({'r', 0, 12345});
  }
  {
    // The sender is through long before the receiver starts, and ends the communicators next.
    auto& s = add("late receiver");
    if (me == 0) s.push_back({'s', n - 1, 3001});
    if (me == n - 1) s.push_back({'z'});
    if (me == n - 1) s.push_back({'r', 0, 3001});
  }
  return all;
}

static size_t run(const Case& c, int where, int round, World& w) {
  // Where the messages lie: apart by guards, at changing alignments.
  std::vector<size_t> at(c.steps.size()), bytes(c.steps.size());
  std::vector<int> message(c.steps.size()), ranks;
  for (ncclComm_t comm : w.comms) {
    int r = 0;
    NCCL_CHECK(ncclCommUserRank(comm, &r));
    ranks.push_back(r);
  }
  std::vector<int> sent(64 * 3, 0), received(64 * 3, 0);
  size_t total = 64;
  for (size_t i = 0; i < c.steps.size(); ++i) {
    const Step& s = c.steps[i];
    if (s.what != 's' && s.what != 'r') continue;
    bytes[i] = s.count * width(s.type);
    message[i] = (s.what == 's' ? sent : received)[s.comm * 64 + s.peer]++;
    if (s.received >= 0) {
      at[i] = at[s.received];
      continue;
    }
    const size_t alignment = round == 0 ? 128 : width(s.type);
    at[i] = (total + alignment - 1) / alignment * alignment;
    total = at[i] + bytes[i] + 7;
  }
  total += 64;
  std::vector<unsigned char> before(total, 0xa5), expected, after(total);
  auto fill = [&](std::vector<unsigned char>& image, char what) {
    for (size_t i = 0; i < c.steps.size(); ++i) {
      const Step& s = c.steps[i];
      if (s.what != what || s.received >= 0) continue;
      const Origin here = what == 's' ? Origin{s.comm, ranks[s.comm], s.peer, message[i]}
                                      : Origin{s.comm, s.peer, ranks[s.comm], message[i]};
      const Origin o = s.origin.comm >= 0 ? s.origin : here;
      for (size_t b = 0; b < bytes[i]; ++b)
        image[at[i] + b] = byte_at(b, round, where, o.comm, o.from, o.to, o.message);
    }
  };
  fill(before, 's');
  expected = before;
  fill(expected, 'r');
  char* memory = nullptr;
  CUDA_CHECK(cudaMalloc(&memory, total));
  CUDA_CHECK(cudaMemcpy(memory, before.data(), total, cudaMemcpyHostToDevice));
  CUDA_CHECK(cudaDeviceSynchronize());
  for (size_t i = 0; i < c.steps.size(); ++i) {
    const Step& s = c.steps[i];
    char* data = bytes[i] == 0 ? nullptr : memory + at[i];
    if (s.what == 'z') usleep(20000);
    if (s.what == '(') NCCL_CHECK(ncclGroupStart());
    if (s.what == ')') NCCL_CHECK(ncclGroupEnd());
    if (s.what == 's') NCCL_CHECK(ncclSend(data, s.count, s.type, s.peer, w.comms[s.comm], w.streams[s.stream]));
    if (s.what == 'r') NCCL_CHECK(ncclRecv(data, s.count, s.type, s.peer, w.comms[s.comm], w.streams[s.stream]));
  }
  for (cudaStream_t stream : w.streams) CUDA_CHECK(cudaStreamSynchronize(stream));
  CUDA_CHECK(cudaMemcpy(after.data(), memory, total, cudaMemcpyDeviceToHost));
  CUDA_CHECK(cudaFree(memory));
  size_t wrong = 0;
  for (size_t i = 0; i < total; ++i) wrong += after[i] != expected[i];
  if (wrong != 0) fprintf(stderr, "rank %d, %s, round %d: %zu wrong bytes\n", ranks[0], c.name.c_str(), round, wrong);
  return wrong;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const int rounds = argc > 1 ? atoi(argv[1]) : 2;
  int rank, nranks;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  int devices = 0;
  CUDA_CHECK(cudaGetDeviceCount(&devices));
  CUDA_CHECK(cudaSetDevice(rank % devices));
  World w;
  w.streams.assign(4, nullptr);
  for (int i = 0; i < 2; ++i) CUDA_CHECK(cudaStreamCreateWithFlags(&w.streams[i], cudaStreamNonBlocking));
  CUDA_CHECK(cudaStreamCreate(&w.streams[2]));
  size_t wrong = 0;
  for (int life = 0; life < 2; ++life) {
    ncclComm_t world = make_comm(rank, nranks), half = nullptr;
    // new communicator world
    NCCL_CHECK(ncclCommSplit(world, rank % 2, rank, &half, nullptr));
    // new communicator half
    ncclComm_t second = make_comm(rank, nranks);
    // new communicator second
    w.comms = {world, half, second};
    // calls that are wrong
    int group_rank = 0, group_size = 0;
    NCCL_CHECK(ncclCommUserRank(half, &group_rank));
    NCCL_CHECK(ncclCommCount(half, &group_size));
    const auto cases = cases_of(rank, nranks, group_rank, group_size);
    for (int round = 0; round < rounds - life; ++round)
      for (size_t k = 0; k < cases.size(); ++k) {
        if (argc > 2 && cases[k].name != argv[2]) continue;
        wrong += run(cases[k], int(k) + 100 * life, round, w);
      }
    for (ncclComm_t comm : w.comms) NCCL_CHECK(ncclCommDestroy(comm));
  }
  const int status = verdict(wrong, 1.0);
  MPI_Finalize();
  return status;
}
)";
}

/// The first `from` in `text`, or all, become `to`.
inline void substitute(std::string& text, std::string const& from, std::string const& to, bool all = true) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
    if (!all) return;
  }
}

inline constexpr char const* kWrongCalls = R"(if (world != nullptr) {
      using device_nccl::recv;
      using device_nccl::send;
      char* some = reinterpret_cast<char*>(&w);
      wrong += send(some, 4, ncclFloat, nranks, world, nullptr) == ncclSuccess;
      wrong += recv(some, 4, ncclFloat, -1, world, nullptr) == ncclSuccess;
      wrong += send(nullptr, 4, ncclFloat, 0, world, nullptr) == ncclSuccess;
      wrong += recv(some, 4, static_cast<ncclDataType_t>(99), 0, world, nullptr) == ncclSuccess;
      wrong += device_nccl::group_end() == ncclSuccess;
    }
)";

/// The program of `exchange_program` with generated code of `launchers` in place of NCCL's calls.
inline std::string device_exchange_program(Api api, std::vector<impl::Launcher> const& launchers) {
  impl::InfrastructureOptions options;
  options.api = api;
  options.exchanges = true;
  options.endings = {"ncclCommDestroy"};
  std::string code = exchange_program();
  substitute(code, "ncclCommDestroy(comm)", "device_nccl::comm_destroy(comm)");
  for (auto const& [host, device] : {std::pair{"ncclSend(", "device_nccl::send("},
                                     {"ncclRecv(", "device_nccl::recv("},
                                     {"ncclGroupStart(", "device_nccl::group_start("},
                                     {"ncclGroupEnd(", "device_nccl::group_end("},
                                     {"// calls that are wrong\n", kWrongCalls}})
    substitute(code, host, device);
  for (std::string const comm : {"world", "half", "second"})
    substitute(code, "// new communicator " + comm, "device_nccl::prepare(" + comm + ", {});");
  substitute(code,
             "#include <nccl.h>\n",
             "#include <nccl.h>\n#include <nccl_device.h>\n#include <initializer_list>\n" +
                 impl::infrastructure_text(options) + impl::section_text(api, launchers, true),
             false);
  return code;
}

inline std::string device_exchange_program(Api api, Directives const& directives) {
  impl::Launcher launcher;
  launcher.site.collective = Collective::kSendRecv;
  launcher.site.api = api;
  launcher.directives = directives;
  launcher.name = impl::name_of(launcher.site);
  return device_exchange_program(api, std::vector<impl::Launcher>{launcher});
}

}  // namespace cuco::testing
