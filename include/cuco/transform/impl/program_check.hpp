// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/impl/pasting_macros.hpp"
#include "cuco/core/result.hpp"
#include "cuco/transform/impl/collective_uses.hpp"
#include "cuco/transform/impl/device_count.hpp"

namespace cuco::impl {

/// A word that no rule covers wherever it stands.
struct Obstacle {
  std::string_view word;
  std::string_view cause;
  std::string_view remedy;
};
inline constexpr std::array kObstacles{
    Obstacle{
        "device_nccl", "'device_nccl' is already in use", "rename it; the generated code needs that name"},
    Obstacle{"ncclCommWindowRegister",
             "ncclCommWindowRegister: the program already uses device-side communication",
             "start from the version that communicates from the host"},
    Obstacle{"ncclDevCommCreate",
             "ncclDevCommCreate: the program already uses device-side communication",
             "start from the version that communicates from the host"},
    Obstacle{"ncclCommInitAll",
             "ncclCommInitAll: one process drives several GPUs",
             "use one MPI rank for each GPU"},
    Obstacle{"ncclCommShrink",
             "ncclCommShrink: a communicator that is made so has no memory for device-side communication",
             "make it with ncclCommInitRank or ncclCommSplit"},
    Obstacle{"ncclCommGrow",
             "ncclCommGrow: a communicator that is made so has no memory for device-side communication",
             "make it with ncclCommInitRank or ncclCommSplit"},
    Obstacle{"ncclRedOpCreatePreMulSum",
             "ncclRedOpCreatePreMulSum: a reduction of the program's own has no kernel",
             "scale in a kernel before, and reduce with ncclSum"},
    Obstacle{"cudaStreamBeginCapture",
             "cudaStreamBeginCapture: registering memory inside a captured graph is not possible",
             "capture after the transformation, around the generated launchers"},
    Obstacle{"cudaStreamBeginCaptureToGraph",
             "cudaStreamBeginCaptureToGraph: registering memory inside a captured graph is not possible",
             "capture after the transformation, around the generated launchers"},
    Obstacle{"pthread_create",
             "pthread_create: the generated helper keeps its tables for one thread",
             "call NCCL from one thread of each process"}};

/// `std::thread`, `std::jthread`, `std::async`.
inline bool starts_thread(Code const& code, int i) {
  bool const name = code.is(i, "thread") || code.is(i, "jthread") || code.is(i, "async");
  bool const qualified = code.is(i - 1, "::") && code.is(i - 2, "std") && !code.is(i + 1, "::");
  // With `using namespace std`: thread t(f);
  bool const declares =
      !code.is(i, "async") && code.is_word(i + 1) && (code.is(i + 2, "(") || code.is(i + 2, "{"));
  return name && (qualified || declares);
}

/// `text` of a directive or of `_Pragma("…")` that starts threads.
inline bool is_parallel_pragma(std::string_view text) {
  return text.find("omp") != std::string_view::npos && text.find("parallel") != std::string_view::npos;
}

/// A call of a function `ncclComm…` that is none of those the rules know; it may make a communicator.
inline bool is_unknown_communicator_call(std::string_view w) {
  static constexpr std::array<std::string_view, 16> kKnown = {"ncclCommInitRank",
                                                              "ncclCommInitRankConfig",
                                                              "ncclCommInitRankScalable",
                                                              "ncclCommInitAll",
                                                              "ncclCommSplit",
                                                              "ncclCommDestroy",
                                                              "ncclCommFinalize",
                                                              "ncclCommAbort",
                                                              "ncclCommCount",
                                                              "ncclCommCuDevice",
                                                              "ncclCommUserRank",
                                                              "ncclCommGetAsyncError",
                                                              "ncclCommGetUniqueId",
                                                              "ncclCommRegister",
                                                              "ncclCommDeregister",
                                                              "ncclCommDump"};
  bool const looks = w.size() > 8 && w.starts_with("ncclComm") && w[8] >= 'A' && w[8] <= 'Z';
  return looks && std::find(kKnown.begin(), kKnown.end(), w) == kKnown.end();
}

/// Whether the name that `body` pastes together at `at` is in every use that of a function without a meaning
/// for the rules. (What has one was written out when the program was loaded, or is beyond that.)
inline bool pastes_services_only(SourceModel const& m,
                                 std::vector<MacroBody> const& macros,
                                 MacroBody const& body,
                                 std::size_t at) {
  auto const& tokens = body.stream.tokens;
  std::size_t last = at + 1;
  while (last < tokens.size() && tokens[last].text.substr(0, 1) == "#") ++last;
  auto const parameter = last < tokens.size()
                             ? std::find(body.parameters.begin(), body.parameters.end(), tokens[last].text)
                             : body.parameters.end();
  if (parameter == body.parameters.end()) return false;
  for (MacroBody const& other : macros)
    for (Token const& t : other.stream.tokens)
      if (t.is(body.name)) return false;
  for (int i = 0; i < m.code.size(); ++i) {
    if (!m.code.is(i, body.name)) continue;
    int argument = i + 2;
    for (auto skip = parameter - body.parameters.begin(); skip > 0; --skip) {
      while (argument < m.code.size() && !m.code.is(argument, ",") && !m.code.is(argument, ";")) ++argument;
      ++argument;
    }
    bool const named = m.code.is(i + 1, "(") && m.code.is_word(argument) &&
                       (m.code.is(argument + 1, ",") || m.code.is(argument + 1, ")"));
    if (!named || !is_plain_service(std::string(tokens[at].text) + std::string(m.code.at(argument).text)))
      return false;
  }
  return true;
}

/// Constructs that no rule covers, wherever they stand. Errors: kRefused with file, line and construct.
inline Result<void> check_program(SourceModel const& m,
                                  std::vector<MacroBody> const& macros,
                                  std::string const& file) {
  auto refuse = [&](std::uint32_t line, std::string cause, std::string remedy) {
    return fail_at(ErrorCode::kRefused, file, line, std::move(cause), std::move(remedy));
  };
  auto find = [](std::string_view word) -> Obstacle const* {
    for (Obstacle const& o : kObstacles)
      if (o.word == word) return &o;
    return nullptr;
  };
  std::set<std::uint32_t> seen;
  for (int i = 0; i < m.code.size(); ++i) {
    Token const& t = m.code.at(i);
    seen.insert(t.offset);
    if (!m.code.is_word(i)) {
      bool const name = t.kind == TokenKind::kString && t.text.size() > 2 &&
                        find_collective(t.text.substr(1, t.text.size() - 2)) != nullptr &&
                        m.code.is(i - 1, ",") && m.code.is(i + 1, ")");
      if (name && m.code.is(m.code.enclosing(i) - 1, "dlsym"))
        return refuse(t.line,
                      "dlsym: " + std::string(t.text) + " is loaded at run time",
                      "link with NCCL and call the function by name");
      continue;
    }
    if (Obstacle const* o = find(t.text))
      return refuse(t.line, std::string(o->cause), std::string(o->remedy));
    if (is_unknown_communicator_call(t.text) && m.code.is(i + 1, "("))
      return refuse(t.line,
                    std::string(t.text) + ": what it does to a communicator is not known",
                    "use ncclCommInitRank or ncclCommSplit");
    if (t.text == "_Pragma" && is_parallel_pragma(m.code.text(i + 2)))
      return refuse(t.line,
                    "omp parallel: the generated helper keeps its tables for one thread",
                    "call NCCL from one thread of each process");
    if (starts_thread(m.code, i))
      return refuse(t.line,
                    "std::" + std::string(t.text) + ": the generated helper keeps its tables for one thread",
                    "call NCCL from one thread of each process");
    if (t.text == "blocking" && m.code.is(i + 1, "=") && !m.code.is(i + 2, "1") && !m.code.is(i + 2, "true"))
      return refuse(t.line,
                    "a communicator that does not block: its calls return before they are done",
                    "leave config.blocking at 1");
    bool const declares = find_collective(t.text) != nullptr && m.code.is(i + 1, "(") &&
                          m.code.is_word(i - 1) && m.function_of(i) == kNone && m.code.enclosing(i) < 0;
    if (declares)
      return refuse(
          t.line, "the program declares " + std::string(t.text) + " itself", "include nccl.h instead");
  }
  for (Token const& d : m.code.directives) {
    if (is_parallel_pragma(d.text) && split_directive(d.text).name == "pragma")
      return refuse(d.line,
                    "omp parallel: the generated helper keeps its tables for one thread",
                    "call NCCL from one thread of each process");
  }
  for (MacroBody const& body : macros) {
    auto const& tokens = body.stream.tokens;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (Obstacle const* o = find(tokens[i].text))
        return refuse(body.line, "macro " + body.name + ": " + std::string(o->cause), std::string(o->remedy));
      bool const thread = i >= 2 && tokens[i - 1].is("::") && tokens[i - 2].is("std") &&
                          (tokens[i].is("thread") || tokens[i].is("jthread") || tokens[i].is("async")) &&
                          !(i + 1 < tokens.size() && tokens[i + 1].is("::"));
      bool const pragma =
          tokens[i].is("_Pragma") && i + 2 < tokens.size() && is_parallel_pragma(tokens[i + 2].text);
      if (thread || pragma)
        return refuse(body.line,
                      "macro " + body.name + " starts threads: the generated helper keeps its tables for one",
                      "call NCCL from one thread of each process");
      bool const pasted = tokens[i].text.substr(0, 4) == "nccl" && i + 1 < tokens.size() &&
                          tokens[i + 1].text.substr(0, 1) == "#";
      if (pasted && !pastes_services_only(m, macros, body, i))
        return refuse(
            body.line,
            "macro " + body.name + " builds the name of an NCCL function from something that is not one word",
            "write the name out");
    }
  }
  if (int const second = DeviceCount(m).second(); second >= 0)
    return refuse(m.code.at(second).line,
                  "one process makes communicators on several GPUs",
                  "use one MPI rank for each GPU");
  // Branches that were left out because the brackets of all together do not balance.
  for (Token const& t : m.stream.tokens)
    if (t.active && t.kind == TokenKind::kIdentifier && find_collective(t.text) != nullptr &&
        seen.count(t.offset) == 0)
      return refuse(t.line,
                    std::string(t.text) + " is in one of several branches of #if that do not balance alone",
                    "keep brackets balanced inside each branch");
  return {};
}

}  // namespace cuco::impl
