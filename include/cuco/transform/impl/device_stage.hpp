// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cuco/transform/generated_section-inl.hpp"  // finds and writes the section; compiled in the same file
#include "cuco/transform/impl/group_calls.hpp"
#include "cuco/transform/impl/launcher_calls.hpp"
#include "cuco/transform/impl/prepare_point.hpp"
#include "cuco/transform/impl/source_edit.hpp"
#include "cuco/transform/rewrite.hpp"

namespace cuco::impl {

/// Stage B: kernels and launchers into the section that stage A made, launcher calls in place of the
/// collectives.
class DeviceStage {
 public:
  DeviceStage(SourceModel const& model, Api api, RewriteRequest const& request)
      : m_(model), api_(api), request_(request), macros_(macro_bodies(model)) {}

  [[nodiscard]] Result<Rewrite> run() {
    auto collectives = read_annotations(m_.source, request_.file);
    if (!collectives) return forward_error(std::move(collectives));
    auto const section = find_section(m_.source, m_.stream);
    if (collectives->empty() || !section || section->api != api_)
      return fail_at(ErrorCode::kInvalidArgument,
                     request_.file,
                     0,
                     std::string("the program has no ") + to_string(api_) + " infrastructure",
                     "run the infrastructure stage first");
    for (auto& c : *collectives)
      if (request_.directives && !legal(*request_.directives, c.site)) c.directives = *request_.directives;
    if (auto ok = replace_calls(*collectives); !ok) return forward_error(std::move(ok));
    if (auto ok = replace_groups(*collectives); !ok) return forward_error(std::move(ok));
    edits_.replace(section->lines, section_text(api_, launchers_of(*collectives), true));
    for (auto const& c : *collectives)
      changes_.push_back({0, "add kernel and launcher " + c.name, to_string(c.directives)});
    auto code = edits_.apply(m_.source);
    if (!code) return forward_error(std::move(code));
    return Rewrite{std::move(*code), std::move(changes_)};
  }

 private:
  [[nodiscard]] Result<void> replace_calls(std::vector<GeneratedCollective> const& collectives) {
    auto const uses =
        find_uses(m_, macros_, [](std::string_view w) { return find_collective(w) != nullptr; });
    auto const planned = read_launcher_calls(m_);
    for (std::size_t i = 0; i < uses.size(); ++i) {
      auto const known = std::find_if(collectives.begin(), collectives.end(), [&](auto const& c) {
        return i < planned.size() && called(c) == planned[i].launcher;
      });
      if (known == collectives.end() || planned[i].function != uses[i].function ||
          planned.size() != uses.size())
        return fail_at(ErrorCode::kRefused,
                       request_.file,
                       uses[i].line,
                       uses[i].function + " was not there in the infrastructure stage",
                       "run both stages on one program");
      if (auto ok = replace(uses[i], *known, planned[i].line); !ok) return ok;
    }
    return {};
  }

  [[nodiscard]] Result<void> replace(NcclUse const& use,
                                     GeneratedCollective const& collective,
                                     std::uint32_t line) {
    CollectiveSignature const& s = *use.signature();
    bool const point_to_point = collective.site.collective == Collective::kSendRecv;
    std::string const name = point_to_point ? (s.send >= 0 ? "send" : "recv") : called(collective);
    bool const broadcasts_in_place = s.send == s.recv;
    if (broadcasts_in_place && !use.is_call)
      return refuse(use, "ncclBcast is used as a value", "use ncclBroadcast, or call it by name");
    bool const once = broadcasts_in_place && !EarlyPoints(m_).may_repeat(use.args[0].text);
    if (once) {  // The launcher takes the buffer twice, but it may be computed once only.
      auto const close = static_cast<std::uint32_t>(m_.source.find(')', use.args.back().span.end));
      edits_.replace(use.name, "[&](void* one_buffer) { return device_nccl::" + name);
      edits_.replace(use.args[0].span, "one_buffer, one_buffer");
      edits_.insert(close + 1, "; }(" + use.args[0].text + ")");
    } else {
      edits_.replace(use.name, "device_nccl::" + name);
      if (broadcasts_in_place) edits_.insert(use.args[0].span.end, ", " + use.args[0].text);
    }
    // The type, and the reduction, are part of the launcher: their arguments go.
    if (!collective.site.runtime_type && !point_to_point) {
      auto const last = static_cast<std::size_t>(s.op >= 0 ? s.op : s.datatype);
      auto const before = static_cast<std::size_t>(s.datatype - 1);
      edits_.replace({use.args[before].span.end, use.args[last].span.end}, "");
    }
    changes_.push_back({line,
                        "call device_nccl::" + name + " in place of " + use.function,
                        "the kernel communicates by itself"});
    return {};
  }

  [[nodiscard]] std::string called(GeneratedCollective const& c) const {
    return called_name({c.name, c.site, c.directives}, api_);
  }

  [[nodiscard]] tl::unexpected<Error> refuse(NcclUse const& use,
                                             std::string cause,
                                             std::string remedy) const {
    return fail_at(ErrorCode::kRefused, request_.file, use.line, std::move(cause), std::move(remedy));
  }

  /// Groups collect sends and receives for one kernel; around collectives alone they mean nothing any more.
  [[nodiscard]] Result<void> replace_groups(std::vector<GeneratedCollective> const& collectives) {
    auto groups = GroupReader(m_, macros_, request_.file).read();
    if (!groups) return forward_error(std::move(groups));
    bool const sends = std::any_of(collectives.begin(), collectives.end(), [](auto const& c) {
      return c.site.collective == Collective::kSendRecv;
    });
    for (GroupUse const& g : *groups) {
      if (g.of_communicators) continue;
      std::string const name = g.use.function == "ncclGroupStart" ? "group_start" : "group_end";
      if (sends) {
        edits_.replace(g.use.name, "device_nccl::" + name);
        changes_.push_back({0,
                            "call device_nccl::" + name + " in place of " + g.use.function,
                            "sends and receives of a group run in one kernel"});
      } else {
        drop(g.use);
        changes_.push_back(
            {0, "remove " + g.use.function, "kernels on a stream follow each other without a group"});
      }
    }
    return {};
  }

  /// Removes the whole statement, with its line when nothing else stands there; else leaves a success.
  void drop(NcclUse const& use) {
    if (use.token >= 0) {
      for (Call const& c : m_.report.calls) {
        if (c.span.begin != use.name.begin || !c.bare_statement ||
            !m_.begins_block_statement(m_.token_at(c.statement.begin)))
          continue;
        std::uint32_t const begin = line_begin(m_.source, c.statement.begin);
        std::uint32_t const end = line_end(m_.source, c.statement.end);
        auto blank = [&](std::uint32_t from, std::uint32_t to) {
          return m_.source.substr(from, to - from).find_first_not_of(" \t\r\n") == std::string::npos;
        };
        bool const alone = blank(begin, c.statement.begin) && blank(c.statement.end, end);
        edits_.replace(alone ? Span{begin, end} : c.statement, "");
        return;
      }
    }
    std::uint32_t end = use.name.end;
    if (use.is_call) end = static_cast<std::uint32_t>(m_.source.find(')', end) + 1);
    edits_.replace({use.name.begin, end}, use.is_call ? "ncclSuccess" : "[] { return ncclSuccess; }");
  }

  SourceModel const& m_;
  Api api_;
  RewriteRequest const& request_;
  std::vector<MacroBody> macros_;
  SourceEdits edits_{};
  std::vector<Change> changes_{};
};

}  // namespace cuco::impl
