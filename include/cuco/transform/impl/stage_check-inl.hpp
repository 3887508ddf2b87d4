// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/impl/names.hpp"
#include "cuco/analysis/impl/pasted_names.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/transform/impl/marker_scope.hpp"
#include "cuco/transform/impl/program_comparison.hpp"
#include "cuco/transform/impl/stage_check.hpp"
#include "cuco/transform/markers.hpp"

namespace cuco::impl::transforming {

/// The checks of one program against the one it was made of.
class StageCheck {
 public:
  StageCheck(Api api, SourceModel const& original, SourceModel const& code)
      : api_(api), original_(original), m_(code) {}

  [[nodiscard]] std::string infrastructure() const {
    bool const header =
        std::any_of(m_.report.includes.begin(), m_.report.includes.end(), [](Include const& i) {
          return i.target.find("nccl_device") != std::string::npos;
        });
    if (!header) return "nccl_device.h is not included";
    struct Need {
      char const* function;
      char const* what;
    };
    for (Need const& need : {Need{"ncclMemAlloc", "no buffer is allocated with ncclMemAlloc"},
                             Need{"ncclCommWindowRegister", "no buffer is registered as a window"},
                             Need{"ncclDevCommCreate", "no device communicator is created"}})
      if (!calls(need.function)) return std::string(need.what) + ": there is no call of " + need.function;
    return {};
  }

  [[nodiscard]] std::string host_collectives_left() const {
    if (!m_.report.graph.empty()) {
      CommunicationNode const& n = m_.report.graph.front();
      return std::to_string(m_.report.graph.size()) + " host collectives are left: " + m_.call(n.call).name +
             " in line " + std::to_string(m_.call(n.call).line);
    }
    // Named without a call that can be seen: in a macro, as a pointer, in a table.
    std::string found;
    each_word(m_, [&](std::string_view word, std::uint32_t line) {
      if (found.empty() && find_collective(word) != nullptr)
        found = "host collectives are left: line " + std::to_string(line) + " names " + std::string(word);
    });
    if (!found.empty()) return found;
    found = pasted_collective();
    if (!found.empty()) return found;
    return other_ways();
  }

  /// Names that only the preprocessor puts together.
  [[nodiscard]] std::string pasted_collective() const {
    PastedNames names(m_.source);
    for (PastedNames::Built const& use : names.built())
      if (use.name.empty() || find_collective(use.name) != nullptr)
        return "host collectives " + std::string(use.name.empty() ? "may be" : "are") + " left: the macro " +
               use.macro + " builds " + (use.name.empty() ? "names of NCCL functions" : use.name);
    for (Macro const& macro : m_.report.macros)
      if (macro.value.find("##") != std::string::npos && macro.value.find("nccl") != std::string::npos &&
          !names.reads(macro.name))
        return "host collectives may be left: the macro " + macro.name + " of line " +
               std::to_string(macro.line) + " builds names of NCCL functions";
    return {};
  }

  /// Data that goes from rank to rank without the device interface.
  [[nodiscard]] std::string other_ways() const {
    static constexpr std::array<std::string_view, 12> kWays = {"dlsym",
                                                               "dlopen",
                                                               "shm_open",
                                                               "mmap",
                                                               "system",
                                                               "popen",
                                                               "fork",
                                                               "cudaIpcOpenMemHandle",
                                                               "cudaIpcGetMemHandle",
                                                               "cudaMemcpyPeer",
                                                               "cudaMemcpyPeerAsync",
                                                               "socket"};
    auto const before = counts(original_);
    std::string found;
    each_word(m_, [&](std::string_view word, std::uint32_t line) {
      bool const way = one_of(word, kWays) || word.starts_with("nvshmem");
      if (found.empty() && way && before.count(std::string(word)) == 0)
        found = "line " + std::to_string(line) + ": " + std::string(word) +
                " is not in the original program, and no way for ranks to exchange data here";
    });
    if (!found.empty()) return found;
    auto const old_calls = timed_mpi(original_);
    for (auto const& [name, lines] : timed_mpi(m_)) {
      auto const old = old_calls.find(name);
      if (old != old_calls.end() && old->second.size() >= lines.size()) continue;
      return "line " + std::to_string(lines.back()) + ": " + name +
             " moves data through the host in the timed region; kernels have to do that";
    }
    return {};
  }

  [[nodiscard]] std::string device_communication() const {
    bool loads = false;
    bool puts = false;
    std::uint32_t gin_line = 0;
    for (std::size_t f = 0; f < m_.report.functions.size(); ++f) {
      Function const& function = m_.report.functions[f];
      if (!function.is_kernel && !function.is_device) continue;
      Range const r = m_.tokens_in(function.span);
      for (int i = r.begin; i < r.end; ++i) {
        std::string_view const t = m_.code.text(i);
        loads = loads || t == "ncclGetLsaPointer" || t == "ncclGetPeerPointer" || t == "lsaPtr" ||
                t == "peerPtr" || t == "ncclLLA2ASession" || t == "ncclGetResourceBufferLsaPointer" ||
                t == "ncclGetResourceBufferPeerPointer";
        if (t.starts_with("ncclGin") && t != "ncclGinFenceLevel" && gin_line == 0)
          gin_line = m_.code.at(i).line;
        puts = puts || ((t == "put" || t == "putValue" || t == "signal") &&
                        (m_.code.is(i - 1, ".") || m_.code.is(i - 1, "->")));
      }
    }
    puts = puts && gin_line != 0;
    if (api_ == Api::LSA && gin_line != 0)
      return "line " + std::to_string(gin_line) +
             ": kernels use one-sided networking (ncclGin); here they load and store through windows only";
    if (api_ == Api::LSA && !loads)
      return "no kernel reaches a peer: nothing calls ncclGetLsaPointer or ncclGetPeerPointer on the device";
    if (api_ == Api::GIN && !puts)
      return "no kernel reaches a peer: nothing calls ncclGin's put on the device";
    if (!loads && !puts)
      return "no kernel reaches a peer: neither ncclGetLsaPointer nor ncclGin's put is called on the device";
    return {};
  }

  [[nodiscard]] std::string collectives_kept() const {
    std::size_t const before = original_.report.graph.size();
    std::size_t const now = m_.report.graph.size();
    if (now >= before) return {};
    return std::to_string(before - now) + " of " + std::to_string(before) +
           " host collectives were removed; this stage keeps all of them, kernels replace them in the next";
  }

  [[nodiscard]] std::string markers() const {
    auto const blocks = find_evolve_blocks(m_.source, m_.report.file);
    if (!blocks) return to_line(blocks.error());
    auto const before = find_evolve_blocks(original_.source, original_.report.file);
    if (before && before->size() != blocks->size())
      return "there are " + std::to_string(blocks->size()) + " EVOLVE blocks, in the original program " +
             std::to_string(before->size()) + "; what may evolve is not to be changed";
    auto marked = insert_evolve_markers(m_.source, m_.report);
    if (marked) {
      // Those of the program itself have not been looked at.
      if (auto ok = check_evolve_markers(*marked, m_.report.file); !ok) return to_line(ok.error());
      return blocks->empty() ? std::string() : MarkerScope(m_).problem(*blocks);
    }
    return "the parts that may evolve cannot be told from the rest: " + to_line(marked.error());
  }

 private:
  /// Words that are compiled, those in macros included.
  static void each_word(SourceModel const& m,
                        std::function<void(std::string_view, std::uint32_t)> const& use) {
    for (Token const& t : m.code.tokens)
      if (t.kind == TokenKind::kIdentifier) use(t.text, t.line);
    for (Macro const& macro : m.report.macros) {
      auto stream = lex(macro.value);
      if (!stream) continue;
      for (Token const& t : stream->tokens)
        if (t.kind == TokenKind::kIdentifier) use(t.text, macro.line);
    }
  }
  [[nodiscard]] static std::map<std::string, int> counts(SourceModel const& m) {
    std::map<std::string, int> out;
    each_word(m, [&](std::string_view word, std::uint32_t) { ++out[std::string(word)]; });
    return out;
  }
  [[nodiscard]] bool calls(std::string_view function) const {
    bool found = false;
    each_word(m_, [&](std::string_view word, std::uint32_t) { found = found || word == function; });
    return found;
  }

  static bool moves_data(std::string_view word) {
    if (!word.starts_with("MPI_") || is_all_caps(word)) return false;
    for (std::string_view part : {"reduce",
                                  "Reduce",
                                  "gather",
                                  "Gather",
                                  "scatter",
                                  "Scatter",
                                  "lltoall",
                                  "Bcast",
                                  "bcast",
                                  "send",
                                  "Send",
                                  "recv",
                                  "Recv",
                                  "Put",
                                  "Get",
                                  "Scan"})
      if (word.find(part) != std::string_view::npos && !word.ends_with("_count")) return true;
    return false;
  }

  /// MPI calls that move data in timed regions and the functions called there, by name.
  [[nodiscard]] static std::map<std::string, std::vector<std::uint32_t>> timed_mpi(SourceModel const& m) {
    Work const work(m);
    std::vector<Range> open;
    for (TimedRegion const& r : TimedRegions(m, work).find()) open.push_back(r.tokens);
    std::set<int> seen;
    std::map<std::string, std::vector<std::uint32_t>> out;
    std::set<Index> functions;
    while (!open.empty()) {
      Range const r = open.back();
      open.pop_back();
      for (int i = r.begin; i < r.end; ++i)
        if (m.code.is_word(i) && moves_data(m.code.text(i)) && seen.insert(i).second)
          out[std::string(m.code.text(i))].push_back(m.code.at(i).line);
      for (std::size_t f = 0; f < m.report.functions.size(); ++f) {
        auto const index = static_cast<Index>(f);
        auto const& sites = m.sites_of(index);
        bool const called = std::any_of(sites.begin(), sites.end(), [&](CallSite const& s) {
          return r.begin <= s.position && s.position < r.end;
        });
        if (called && functions.insert(index).second) open.push_back(m.structure.function_tokens[f].body);
      }
    }
    return out;
  }

  Api api_;
  SourceModel const& original_;
  SourceModel const& m_;
};

CUCO_EVOLVE_INLINE bool names_host_collective(std::string_view code) {
  auto stream = lex(code);
  if (!stream) return false;
  return std::any_of(stream->tokens.begin(), stream->tokens.end(), [](Token const& t) {
    if (!t.active) return false;
    if (t.kind == TokenKind::kIdentifier) return find_collective(t.text) != nullptr;
    if (t.kind != TokenKind::kDirective) return false;
    DirectiveParts const parts = split_directive(t.text);
    auto inner = parts.name == "define" ? lex(parts.rest) : Result<TokenStream>();
    return inner && std::any_of(inner->tokens.begin(), inner->tokens.end(), [](Token const& word) {
             return word.kind == TokenKind::kIdentifier && find_collective(word.text) != nullptr;
           });
  });
}

CUCO_EVOLVE_INLINE std::string compare_verdicts(SourceModel const& original, SourceModel const& code) {
  return ProgramComparison(original, code).problem();
}

CUCO_EVOLVE_INLINE std::string verdict_problem(std::string_view original, std::string_view code) {
  auto a = SourceModel::make(original, "original");
  auto b = SourceModel::make(code, "program");
  if (!a || !b) return to_line(a ? b.error() : a.error());
  return compare_verdicts(**a, **b);
}

CUCO_EVOLVE_INLINE std::string stage_problem(Api api,
                                             TransformStage stage,
                                             std::string_view original,
                                             std::string_view code,
                                             std::string const& file) {
  auto a = SourceModel::make(original, file);
  auto b = SourceModel::make(code, file);
  if (!a || !b) return to_line(a ? b.error() : a.error());
  StageCheck const check(api, **a, **b);
  if (auto problem = check.infrastructure(); !problem.empty()) return problem;
  // Whoever did more than stage A asks for must have done all of it.
  bool const kept = stage == TransformStage::kInfrastructure && !(*b)->report.graph.empty();
  std::string problem = kept ? check.collectives_kept() : check.host_collectives_left();
  if (problem.empty() && !kept) problem = check.device_communication();
  if (!problem.empty() && stage == TransformStage::kInfrastructure) return check.collectives_kept();
  if (problem.empty()) problem = compare_verdicts(**a, **b);
  if (problem.empty() && !kept) problem = check.markers();
  return problem;
}

CUCO_EVOLVE_INLINE std::string without_marker_lines(std::string_view code) {
  auto stream = lex(code);
  if (!stream) return std::string(code);
  std::string out;
  std::size_t done = 0;
  for (Comment const& c : stream->comments) {
    if (marker_word(code, c).empty()) continue;
    std::size_t const begin = line_begin(code, c.offset);
    out += code.substr(done, begin - done);
    done = line_end(code, c.offset + c.text.size());
  }
  return out += code.substr(std::min(done, code.size()));
}

}  // namespace cuco::impl::transforming
