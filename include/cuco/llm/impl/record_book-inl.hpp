// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/errno_text.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/log.hpp"
#include "cuco/llm/impl/canonical_request.hpp"
#include "cuco/llm/impl/chat_json.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/llm/impl/record_book.hpp"
#include "cuco/llm/impl/setup_json.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::string CallName::text() const {
  return scope + "/" + request + "/" + std::to_string(occurrence);
}

/// The two strings that every line begins with: `{"call":"…","model":"…",`. Reading them alone keeps opening
/// a long recording fast; the rest is parsed when it is asked for.
struct LineHead {
  std::string call{};
  std::string model{};
};
CUCO_EVOLVE_INLINE std::optional<LineHead> read_line_head(std::string_view line) {
  auto const string_after = [&](std::string_view prefix) -> std::optional<std::string> {
    if (!line.starts_with(prefix)) return std::nullopt;
    std::size_t end = prefix.size();
    while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2 : 1;
    if (end >= line.size()) return std::nullopt;
    auto const quoted = line.substr(prefix.size() - 1, end - prefix.size() + 2);
    auto const json = nlohmann::json::parse(quoted, nullptr, false);
    line.remove_prefix(end + 1);
    return json.is_string() ? std::optional<std::string>(json.get<std::string>()) : std::nullopt;
  };
  auto call = string_after("{\"call\":\"");
  auto model = call ? string_after(",\"model\":\"") : std::nullopt;
  if (!model || line.empty() || line.back() != '}') return std::nullopt;
  return LineHead{*std::move(call), *std::move(model)};
}

CUCO_EVOLVE_INLINE Status RecordBook::open(std::string const& path, bool write) {
  if (path.empty()) return fail(ErrorCode::kInvalidArgument, "a recording has no path");
  namespace fs = std::filesystem;
  bool const file = path.ends_with(".jsonl");
  std::string const folder = file ? fs::path(path).parent_path().string() : path;
  path_ = file ? path : path + "/calls.jsonl";
  if (write) {
    if (Status made = make_folder(folder); !made) return made;
    auto writer = LineFile::open(path_, true);
    if (!writer) return forward_error(std::move(writer));
    writer_ = *std::move(writer);
  }
  reader_ = UniqueFd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!reader_) {
    int const error = errno;
    return fail_at(error == ENOENT || error == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo,
                   path_,
                   0,
                   "cannot read the recording: " + errno_text(error),
                   error == ENOENT ? "record one first, with the same path" : errno_remedy(error));
  }
  return index_lines();
}

CUCO_EVOLVE_INLINE Status RecordBook::index_lines() {
  auto const bytes = read_file(path_);
  if (!bytes) return tl::unexpected<Error>(bytes.error());
  std::string_view const text = *bytes;
  std::uint32_t number = 0;
  std::size_t at = 0;
  for (; at < text.size(); ++number) {
    auto const end = text.find('\n', at);
    if (end == std::string_view::npos) break;  // what a killed recorder left of its last line
    auto const line = text.substr(at, end - at);
    auto head = read_line_head(line);
    if (auto setup = head ? std::nullopt : setup_from_line(line)) {
      setup_ = std::move(setup);
      at = end + 1;
      continue;
    }
    if (!head)
      return fail_at(ErrorCode::kParse,
                     path_,
                     number + 1,
                     "this line is not a recorded call",
                     "restore the recording or make a new one");
    calls_[head->call] = {
        static_cast<std::int64_t>(at), static_cast<std::int64_t>(line.size()), std::move(head->model)};
    at = end + 1;
  }
  size_ = static_cast<std::int64_t>(at);
  return {};
}

CUCO_EVOLVE_INLINE void RecordBook::on(Event const& event) {
  std::lock_guard const lock(mutex_);
  scope_.on(event);
}

CUCO_EVOLVE_INLINE CallName RecordBook::name(std::string const& model, ChatRequest const& request) {
  CallName call;
  call.request = request_key(model, request);
  std::lock_guard const lock(mutex_);
  call.scope = scope_.name();
  call.occurrence = asked_[call.scope + "/" + call.request]++;
  return call;
}

CUCO_EVOLVE_INLINE Result<std::string> RecordBook::line_at(Place const& place) const {
  std::string line(static_cast<std::size_t>(place.length), '\0');
  std::size_t have = 0;
  while (have < line.size()) {
    ssize_t const got = ::pread(
        reader_.get(), line.data() + have, line.size() - have, place.offset + static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail_at(ErrorCode::kIo, path_, 0, "the recording became shorter while it was read");
    have += static_cast<std::size_t>(got);
  }
  return line;
}

CUCO_EVOLVE_INLINE std::optional<Result<ChatReply>> RecordBook::find(CallName const& call) const {
  Place place;
  {
    std::lock_guard const lock(mutex_);
    auto const found = calls_.find(call.text());
    if (found == calls_.end()) return std::nullopt;
    place = found->second;
  }
  auto const line = line_at(place);
  if (!line) return Result<ChatReply>(tl::unexpected<Error>(unbilled(line.error())));
  auto answer = answer_from_json(*line);
  if (answer && *answer) (*answer)->recorded_as = call.text();
  if (answer) return answer;
  return Result<ChatReply>(tl::unexpected<Error>(unbilled(
      fail_at(ErrorCode::kParse, path_, 0, "call " + call.text() + " of the recording is damaged").value())));
}

CUCO_EVOLVE_INLINE Status RecordBook::store(CallName const& call,
                                            std::string const& model,
                                            ChatRequest const& request,
                                            Result<ChatReply> const& answer) {
  nlohmann::json const name = call.text();
  std::string const answered = answer_to_json(answer);
  std::string const line = "{\"call\":" + name.dump() +
                           ",\"model\":" + ChatJson(is_utf8(model) ? model : "unnamed").dump() +
                           ",\"request\":" + request_to_json(request) + "," + answered.substr(1);
  std::lock_guard const lock(mutex_);
  auto const begin = size_;
  if (Status written = append(line); !written) return written;
  calls_[call.text()] = {begin, static_cast<std::int64_t>(line.size()), model};
  return {};
}

CUCO_EVOLVE_INLINE Status RecordBook::append(std::string const& line) {
  if (!writer_) return fail(ErrorCode::kInternal, "this recording is open for reading only");
  if (Status written = writer_->append(line); !written) return written;
  size_ += static_cast<std::int64_t>(line.size()) + 1;
  return {};
}

CUCO_EVOLVE_INLINE Status RecordBook::set_up(RecordingSetup const& setup) {
  std::lock_guard const lock(mutex_);
  if (setup_ == setup) return {};
  if (setup_ || !calls_.empty())
    log_warning(
        path_ +
        ": what was recorded here before asked other models, or asked them otherwise; it may not replay");
  if (Status written = append(setup_line(setup)); !written) return written;
  setup_ = setup;
  return {};
}

CUCO_EVOLVE_INLINE std::optional<RecordingSetup> RecordBook::setup() const {
  std::lock_guard const lock(mutex_);
  return setup_;
}

CUCO_EVOLVE_INLINE std::optional<Error> RecordBook::missed() const {
  std::lock_guard const lock(mutex_);
  return missed_;
}

CUCO_EVOLVE_INLINE Error RecordBook::missing(CallName const& call,
                                             std::string const& model,
                                             ChatRequest const& request) {
  Error error = why_missing(call, model, request);
  std::lock_guard const lock(mutex_);
  if (!missed_) missed_ = error;
  return error;
}

CUCO_EVOLVE_INLINE Error RecordBook::why_missing(CallName const& call,
                                                 std::string const& model,
                                                 ChatRequest const& request) const {
  std::vector<std::pair<std::string, Place>> all;
  {
    std::lock_guard const lock(mutex_);
    all.assign(calls_.begin(), calls_.end());
  }
  Error error;
  error.code = ErrorCode::kNotFound;
  error.file = path_;
  error.remedy = "replay with the program, options and seed of the recording, or record anew";
  error.cause = "no recorded answer to request " + call.request;
  if (!call.scope.empty()) error.cause += " in generation " + call.scope.substr(1);
  int same = 0;
  int elsewhere = 0;
  for (auto const& [name, place] : all) {
    if (name.find("/" + call.request + "/") == std::string::npos) continue;
    ++(name.starts_with(call.scope + "/") ? same : elsewhere);
  }
  if (same > 0) {
    error.cause += fmt::format(": it was recorded {} times, this is time {}", same, call.occurrence + 1);
    return error;
  }
  if (elsewhere > 0) {
    error.cause += ": it was recorded in another generation";
    error.remedy = "let the replay see the run's events as the recording did (its observer)";
    return error;
  }
  RequestDifference nearest;
  std::string nearest_name;
  for (auto const& [name, place] : all) {
    auto const line = line_at(place);
    if (!line) continue;
    auto const json = ChatJson::parse(*line, nullptr, false);
    if (!json.is_object() || !json.contains("request")) continue;
    auto const recorded = request_from_json(json["request"].dump());
    if (!recorded) continue;
    auto difference = compare_requests(place.model, *recorded, model, request);
    if (!nearest_name.empty() && difference.alike <= nearest.alike) continue;
    nearest = std::move(difference);
    nearest_name = name;
  }
  if (nearest_name.empty()) {
    error.cause += ": the recording is empty";
  } else {
    error.cause += "; in the nearest recorded one, " + nearest_name + ", " + nearest.text;
  }
  return error;
}

CUCO_EVOLVE_INLINE std::vector<std::string> RecordBook::models() const {
  std::lock_guard const lock(mutex_);
  std::set<std::string> names;
  for (auto const& [name, place] : calls_) names.insert(place.model);
  return {names.begin(), names.end()};
}

CUCO_EVOLVE_INLINE std::size_t RecordBook::size() const {
  std::lock_guard const lock(mutex_);
  return calls_.size();
}

}  // namespace cuco::impl
