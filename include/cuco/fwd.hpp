// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Every public core name, declared and not defined. Cheap enough for any header.

#include <cstdint>

namespace tl {
template <class T, class E>
class expected;
}  // namespace tl

namespace cuco {

enum class ErrorCode : std::uint8_t;
struct Error;
/// What every fallible function of the library returns: a value or an `Error`.
template <class T>
using Result = tl::expected<T, Error>;

enum class Api : std::uint8_t;
class Rng;
class RunDirectory;

struct ProgramId;
struct Program;
struct ProgramFilter;
struct Population;
struct MutationContext;
struct Mutation;
struct Candidate;
struct Evaluation;
struct Evidence;
struct Verdict;
struct ChatRequest;
struct ChatReply;
struct Embedding;
struct RewriteRequest;
struct Rewrite;
struct Event;

}  // namespace cuco
