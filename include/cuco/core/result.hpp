// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "cuco/core/error.hpp"

namespace cuco {

/// A value of type `T`, or the `Error` that kept the harness from making one.
template <class T>
using Result = tl::expected<T, Error>;

/// What fallible functions without a value return.
using Status = Result<void>;

/// Builds the error side of any `Result`.
[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string cause, std::string remedy = {}) {
  return tl::unexpected<Error>(Error{code, std::move(cause), std::move(remedy)});
}

/// The same for an error about a place in one of the user's files.
[[nodiscard]] inline tl::unexpected<Error> fail_at(
    ErrorCode code, std::string file, std::uint32_t line, std::string cause, std::string remedy = {}) {
  return tl::unexpected<Error>(Error{code, std::move(cause), std::move(remedy), std::move(file), line});
}

/// Passes an error on, from a `Result` of another value type.
template <class T>
[[nodiscard]] tl::unexpected<Error> forward_error(Result<T>&& result) {
  return tl::unexpected<Error>(std::move(result).error());
}

}  // namespace cuco
