// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cuco/llm/recording_setup.hpp"

namespace cuco::impl {

/// The line `{"setup": …}` of a recording, and back; empty for any other line.
[[nodiscard]] std::string setup_line(RecordingSetup const& setup);
[[nodiscard]] std::optional<RecordingSetup> setup_from_line(std::string_view line);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/setup_json-inl.hpp"
#endif
