// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "cuco/core/impl/errno_text.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/log.hpp"
#include "cuco/evolve/event_text.hpp"
#include "cuco/evolve/json_lines_observer.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Result<JsonLinesObserver> JsonLinesObserver::open(std::string path) {
  impl::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!fd) {
    int const error = errno;
    return fail_at(ErrorCode::kIo,
                   std::move(path),
                   0,
                   "cannot append: " + impl::errno_text(error),
                   impl::errno_remedy(error));
  }
  return JsonLinesObserver(std::move(path), std::move(fd));
}

CUCO_EVOLVE_INLINE void JsonLinesObserver::on(Event const& event) {
  if (event.kind == Event::Kind::kRestored) return;  // the file has it already
  auto const line = to_json(event) + "\n";
  // One write, so that a reader never sees half a line.
  auto const put = ::write(fd_.get(), line.data(), line.size());
  if (put == static_cast<ssize_t>(line.size()) || reported_) return;
  reported_ = true;
  log_warning(path_ + ": cannot append events: " + impl::errno_text(put < 0 ? errno : ENOSPC));
}

}  // namespace cuco
