// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/transform/impl/rewriter_order.hpp"

namespace cuco::impl::transforming {

CUCO_EVOLVE_INLINE std::vector<std::string> unique_names(std::vector<std::string> names) {
  for (std::size_t i = 1; i < names.size(); ++i) {
    auto const same = std::count(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]);
    if (same > 0) names[i] += " (" + std::to_string(same + 1) + ")";
  }
  return names;
}

CUCO_EVOLVE_INLINE std::string joined_names(std::vector<std::string> const& names) {
  std::string out;
  for (auto const& name : names) out += (out.empty() ? "" : ", else ") + name;
  return out;
}

CUCO_EVOLVE_INLINE std::size_t first_of(std::vector<std::string> const& names,
                                        RewriteRequest const& request) {
  if (request.history == nullptr || request.stage != TransformStage::kDevice) return 0;
  for (auto i = request.history->rbegin(); i != request.history->rend(); ++i) {
    if (!i->accepted || i->stage != TransformStage::kInfrastructure || i->label == "input") continue;
    auto const who = std::find(names.begin(), names.end(), i->rewriter);
    return who == names.end() ? 0 : static_cast<std::size_t>(who - names.begin());
  }
  return 0;
}

CUCO_EVOLVE_INLINE int failures_of(std::string const& name, RewriteRequest const& request, std::string& why) {
  if (request.history == nullptr) return 0;
  auto const& all = *request.history;
  std::size_t const mine = std::min(all.size(), static_cast<std::size_t>(std::max(0, request.attempt - 1)));
  int count = 0;
  for (std::size_t i = all.size() - mine; i < all.size(); ++i) {
    if (all[i].rewriter != name) continue;
    ++count;
    why = all[i].message.substr(0, all[i].message.find('\n'));
  }
  return count;
}

CUCO_EVOLVE_INLINE tl::unexpected<Error> nobody_left(std::vector<std::string> const& stopped) {
  Error error{ErrorCode::kNotVerified, "no rewriter has an attempt left", {}, {}, 0, {}};
  for (auto const& reason : stopped) error.detail += (error.detail.empty() ? "" : "\n") + reason;
  return tl::unexpected<Error>(std::move(error));
}

CUCO_EVOLVE_INLINE void tell_who(std::string const& name,
                                 std::vector<std::string> const& stopped,
                                 Result<Rewrite>& answer) {
  if (!answer) {
    std::string& detail = answer.error().detail;
    for (auto const& reason : stopped) detail += (detail.empty() ? "" : "\n") + reason;
    return;
  }
  answer->by = name;
  std::vector<Change> told;
  for (auto const& reason : stopped) told.push_back({1, "ask " + name, reason});
  answer->changes.insert(answer->changes.begin(), told.begin(), told.end());
}

}  // namespace cuco::impl::transforming
