// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cuco/core/impl/inline.hpp"
#include "cuco/report/graph_view.hpp"
#include "cuco/report/impl/graph_dot.hpp"
#include "cuco/report/impl/graph_html.hpp"
#include "cuco/report/impl/picture.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE std::string to_picture(Report const& report, PictureOptions options) {
  return impl::Picture(report, options).run();
}
CUCO_EVOLVE_INLINE std::string to_dot(Report const& report) {
  return impl::DotWriter(report).run();
}
CUCO_EVOLVE_INLINE std::string to_html(Report const& report) {
  return impl::HtmlWriter(report).run();
}

}  // namespace cuco
