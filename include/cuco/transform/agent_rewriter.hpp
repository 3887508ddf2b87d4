// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/api.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evaluate/devices.hpp"
#include "cuco/process/process_limits.hpp"
#include "cuco/transform/rewrite.hpp"

namespace cuco {

/// Which agent, and the conditions under which it works.
struct AgentOptions {
  /// Program and arguments. `{{folder}}`, `{{task}}`, `{{source}}` and `{{result}}` stand for the agent's
  /// folder and the paths of the task's text, the program and the result in it. The task is also its standard
  /// input.
  std::vector<std::string> argv = {
      "claude", "-p", "--output-format", "text", "--allowedTools", "Bash,Read,Write,Edit"};
  std::string called = "agent claude";  ///< In messages.
  /// Names of environment variables that it gets besides PATH, HOME and what every program gets (see
  /// `Command::environment`): that of its key, when it has no other way to log in. Whatever it starts sees
  /// them too. Those that are not set are left out.
  std::vector<std::string> pass_environment{};
  std::chrono::milliseconds deadline{std::chrono::minutes(30)};
  /// Of each process that it starts. Files of more than this are no program's, and compilers need less
  /// memory.
  ProcessLimits limits{.file_size_bytes = std::uint64_t{4} << 30U};
  /// How programs are built and run, for the task; see `agent_instructions`. `{{result}}`, `{{stem}}`,
  /// `{{ranks}}` and `{{args}}` stand for the result's name without folder, the same without its ending, and
  /// how programs are run. Empty: by nvcc and mpirun.
  std::string instructions{};
  /// Where bubblewrap (`bwrap`) works: the agent may write to its folder and to `writable` only, and sees no
  /// processes but its own. Where it does not, a change of the result says so.
  bool isolate = true;
  /// Paths besides its folder, `~/` for the home folder; those that do not exist are left out.
  std::vector<std::string> writable = {"~/.claude", "~/.claude.json", "~/.cache", "~/.nv"};
  std::string folders_in{};  ///< Where its folder is made; empty: with the other temporary files.
  std::string prompts{};     ///< Folder of the templates; empty: the library's own.
  std::string reference{};   ///< The text of a device-initiated program to learn from; may be empty.
  std::string hardware{};    ///< Facts about the machine; may be empty.
  int attempts = 2;          ///< Of each stage.
};

/// Options for the Claude command line with a model of its own naming; "" for its default.
[[nodiscard]] AgentOptions claude_agent(std::string const& model = {});

/// How an agent builds and runs programs on `devices`, for `AgentOptions::instructions`.
/// @param cuco path of the cuco command, whose `check` an agent can use on emulated devices; empty: it can
/// run nothing there.
[[nodiscard]] std::string agent_instructions(Devices const& devices, std::string const& cuco = {});

namespace impl::transforming {
/// The command that runs `argv` apart from the rest of the machine; empty when this machine cannot.
[[nodiscard]] std::vector<std::string> isolated(std::vector<std::string> const& argv,
                                                std::string const& folder,
                                                std::vector<std::string> const& writable);
[[nodiscard]] Result<Rewrite> rewrite_by_agent(AgentOptions const& options,
                                               Api api,
                                               RewriteRequest const& request);
}  // namespace impl::transforming

/// Lets an agent with tools of its own write the program: a command that works in a folder made for it,
/// in a process group of its own, with a deadline, limits and a scrubbed environment. It finds the program,
/// the task and how to build and run there, and leaves `<stem>_device.cu`.
///
/// That file is a proposal, verified like any other, whatever the agent says about it. An attempt has failed
/// when the command fails or does not end in time, when the file is missing, is not a plain file of this
/// folder, is too large, or is the program it was given. The folder keeps an agent's work apart; only
/// `AgentOptions::isolate` keeps it from writing elsewhere, and nothing from reading what the user can read.
/// What is kept of its output has no secrets in it, as far as they are known: those of `redact_secrets`, and
/// the values that it was given.
///
/// Errors: kToolMissing when the command does not exist, kProcess, kIo, those of the templates.
template <Api A>
class AgentRewriter {
 public:
  explicit AgentRewriter(AgentOptions options = claude_agent()) : options_(std::move(options)) {}

  [[nodiscard]] Result<Rewrite> rewrite(RewriteRequest const& request) const {
    return impl::transforming::rewrite_by_agent(options_, A, request);
  }
  [[nodiscard]] int attempts(TransformStage) const { return options_.attempts; }
  [[nodiscard]] std::string const& name() const { return options_.called; }

 private:
  AgentOptions options_;
};

static_assert(explain_rewriter<AgentRewriter<Api::LSA>>());
static_assert(explain_rewriter<AgentRewriter<Api::GIN>>());
static_assert(explain_rewriter<AgentRewriter<Api::Auto>>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/agent_rewriter-inl.hpp"
#endif
