// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cuco/transform/generated_section-inl.hpp"  // finds and writes the section; compiled in the same file
#include "cuco/transform/impl/constants.hpp"
#include "cuco/transform/impl/source_model.hpp"
#include "cuco/transform/rewrite.hpp"

namespace cuco::impl {

/// Stage B: kernels and launchers into the section that stage A made, launcher calls in place of the
/// collectives.
class DeviceStage {
 public:
  DeviceStage(SourceModel const& model, Api api, RewriteRequest const& request)
      : m_(model), api_(api), request_(request) {}

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
    for (CommunicationNode const& node : m_.report.graph)
      if (auto ok = replace(node, *collectives); !ok) return forward_error(std::move(ok));
    edits_.replace(section->lines, section_text(api_, launchers_of(*collectives), true));
    for (auto const& c : *collectives)
      changes_.push_back({0, "add kernel and launcher " + c.name, to_string(c.directives)});
    auto code = edits_.apply(m_.source);
    if (!code) return forward_error(std::move(code));
    return Rewrite{std::move(*code), std::move(changes_)};
  }

 private:
  [[nodiscard]] Result<void> replace(CommunicationNode const& node,
                                     std::vector<GeneratedCollective> const& collectives) {
    Call const& call = m_.call(node.call);
    bool const reduces = node.collective == "AllReduce";
    auto const type = element_type_of(constant_of(m_, node.datatype, "ncclDataType_t"));
    auto const op = reduction_of(constant_of(m_, node.op, "ncclRedOp_t"));
    Site site;
    site.collective = reduces                          ? Collective::kAllReduce
                      : node.collective == "AllGather" ? Collective::kAllGather
                                                       : Collective::kAllToAll;
    if (type) site.type = *type;
    if (op) site.op = *op;
    std::string const name = name_of(site);
    bool const known =
        std::any_of(collectives.begin(), collectives.end(), [&](auto const& c) { return c.name == name; });
    if (!type || (reduces && !op) || !known || !call.macro.empty() || call.args.size() != (reduces ? 7U : 6U))
      return fail_at(ErrorCode::kRefused,
                     request_.file,
                     call.line,
                     call.name + " was not there in the infrastructure stage",
                     "run both stages on one program");
    // The type, and the reduction, are part of the launcher: their arguments go.
    std::size_t const last = reduces ? 4 : 3;
    edits_.replace({call.span.begin, call.span.begin + static_cast<std::uint32_t>(call.name.size())},
                   "device_nccl::" + name);
    edits_.replace({call.args[2].span.end, call.args[last].span.end}, "");
    changes_.push_back({call.line,
                        "call device_nccl::" + name + " in place of " + call.name,
                        "the kernel communicates by itself"});
    return {};
  }

  SourceModel const& m_;
  Api api_;
  RewriteRequest const& request_;
  SourceEdits edits_{};
  std::vector<Change> changes_{};
};

}  // namespace cuco::impl
