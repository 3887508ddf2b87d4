// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cuco {

namespace impl {
/// Every form in which a secret of this moment may stand in a text, longest first.
[[nodiscard]] std::vector<std::string> secret_spellings();
void redact_with(std::vector<std::string> const& secrets, std::string& text);
}  // namespace impl

/// Keeps a value out of everything the library writes about calls to models: recordings, caches, ledgers.
///
/// For keys that come from a file or from a program; those in environment variables are known anyway. Values
/// of under 8 characters are not taken: text may hold them by chance. Any thread.
void register_secret(std::string_view value);

/// `text` with every secret replaced by "[redacted]".
///
/// Secrets are the registered values, and the values of the environment variables whose names hold API_KEY,
/// TOKEN, SECRET, PASSWORD, CREDENTIAL or ACCESS_KEY (not those that name a file or hold a plain number).
/// They are also found as a JSON string or a URL would spell them. Any thread.
[[nodiscard]] std::string redact_secrets(std::string text);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/redaction-inl.hpp"
#endif
