// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/chat.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/program.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/llm/scripted_backend.hpp"

/// @file
/// Small programs with EVOLVE blocks, and models that answer about them.

namespace cuco::testing {

/// Two blocks; the first has the kernel, the second its launch.
inline std::string lsa_program() {
  return R"(#include <cstdio>
#include <nccl_device.h>
// frozen: how many
constexpr int kCount = 4096;
// EVOLVE-BLOCK-START
constexpr int kCtas = 16;
__global__ void gather(ncclDevComm dc, ncclWindow_t in, ncclWindow_t out) {
  ncclLsaBarrierSession<ncclCoopCta> bar(ncclCoopCta(), dc, ncclTeamTagLsa(), blockIdx.x);
  bar.sync(ncclCoopCta(), cuda::memory_order_acquire);
  for (int p = 0; p < dc.lsaSize; ++p) {
    float* from = static_cast<float*>(ncclGetLsaPointer(in, 0, p));
    float* to = static_cast<float*>(ncclGetLocalPointer(out, p * kCount * sizeof(float)));
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < kCount; i += gridDim.x * blockDim.x) to[i] = from[i];
  }
  bar.sync(ncclCoopCta(), cuda::memory_order_release);
}
// EVOLVE-BLOCK-END
int main() {
  ncclDevComm dc{};
  ncclWindow_t in{}, out{};
  // EVOLVE-BLOCK-START
  gather<<<kCtas, 256>>>(dc, in, out);
  // EVOLVE-BLOCK-END
  std::printf("Verification: PASS\n");
}
)";
}

/// One block, one-sided.
inline std::string gin_program() {
  return R"(#include <nccl_device.h>
// EVOLVE-BLOCK-START
__global__ void all_to_all(ncclDevComm dc, ncclWindow_t send, ncclWindow_t recv, size_t bytes) {
  const ncclGin gin(dc, 0);
  const uint64_t before = gin.readSignal(0);
  gin.waitSignal(ncclCoopCta(), 0, before + dc.nRanks);
}
// EVOLVE-BLOCK-END
int main() {}
)";
}

/// Replies that a well-behaved model would give about `lsa_program`.
inline std::string diff_reply(int ctas) {
  return "<NAME>more_ctas</NAME>\n<DESCRIPTION>\nUses " + std::to_string(ctas) +
         " CTAs.\n</DESCRIPTION>\n<DIFF>\n<<<<<<< SEARCH\nconstexpr int kCtas = 16;\n=======\nconstexpr int "
         "kCtas = " +
         std::to_string(ctas) + ";\n>>>>>>> REPLACE\n</DIFF>\n";
}
inline std::string code_reply(int ctas) {
  return "<NAME>Whole Blocks</NAME>\n<DESCRIPTION>One loop.</DESCRIPTION>\n<CODE>\n```cuda\n"
         "// EVOLVE-BLOCK-START\nconstexpr int kCtas = " +
         std::to_string(ctas) +
         ";\n__global__ void gather(ncclDevComm dc, ncclWindow_t in, ncclWindow_t out) {}\n// "
         "EVOLVE-BLOCK-END\n"
         "// EVOLVE-BLOCK-START\n  gather<<<kCtas, 128>>>(dc, in, out);\n// EVOLVE-BLOCK-END\n```\n</CODE>\n";
}

inline Program make_program(std::string id, std::string code, bool correct = true, double score = 1000) {
  Program p;
  p.id = {std::move(id)};
  p.code = std::move(code);
  p.correct = correct;
  p.combined_score = correct ? score : 0;
  if (correct) p.public_metrics = {{"time_ms", 0.25}};
  p.metadata = {
      {"patch_name", "first_try"}, {"outcome", correct ? "correct" : "wrong_answer"}, {"origin", "modelled"}};
  if (!correct) p.metadata.push_back({"error", "rank 1: element 7 differs"});
  return p;
}

/// A context with its own programs.
struct Situation {
  Program parent = make_program("parent", lsa_program());
  std::vector<Program> archive{};
  std::vector<Program> top_k{};
  std::vector<Program> failures{};
  std::vector<std::string> known{};
  std::string task{};
  std::string recommendations{};
  Phase phase = Phase::kExplore;

  [[nodiscard]] MutationContext context() const {
    return {.parent = parent,
            .archive_inspirations = archive,
            .top_k_inspirations = top_k,
            .generation = 3,
            .phase = phase,
            .task = task,
            .recommendations = recommendations,
            .known_codes = &known,
            .known_embeddings = nullptr,
            .failures = &failures};
  }
};

inline ChatReply reply_of(std::string text,
                          std::optional<double> usd = 0.01,
                          FinishReason finish = FinishReason::kEnd) {
  ChatReply reply;
  reply.text = std::move(text);
  reply.finish = finish;
  reply.cost_usd = usd;
  reply.usage = {100, 20};
  reply.model = "scripted:one";
  return reply;
}
/// A backend that gives these replies, in order.
inline ScriptedBackend replies(std::vector<ChatReply> list) {
  std::vector<ScriptedBackend::Answer> answers;
  for (auto& reply : list) answers.emplace_back(std::move(reply));
  return ScriptedBackend(std::move(answers));
}
inline ScriptedBackend replies(std::vector<std::string> const& texts) {
  std::vector<ChatReply> list;
  for (auto const& text : texts) list.push_back(reply_of(text));
  return replies(std::move(list));
}

/// All text of a request.
inline std::string all_text(ChatRequest const& request) {
  std::string out = request.system;
  for (auto const& message : request.messages) out += "\n" + message.text;
  return out;
}

template <class M>
Result<Mutation> mutate(M& mutator, Situation const& situation, std::uint64_t seed = 1) {
  Rng rng(seed);
  return mutator.mutate(situation.context(), rng);
}

}  // namespace cuco::testing
