// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The trace of a run (emu/trace_format.hpp), read back as one sequence.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <queue>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/errno_text.hpp"
#include "cuco/core/impl/unique_fd.hpp"
#include "cuco/core/result.hpp"
#include "cuco/emu/trace_format.hpp"

namespace cuco::checking {

/// The records of one operating system thread of a rank.
class TraceFile {
 public:
  static Result<TraceFile> open(std::string const& path, int rank) {
    cuco::impl::UniqueFd const fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0)
      return fail_at(ErrorCode::kIo, path, 0, "cannot be read: " + cuco::impl::errno_text(errno));
    TraceFile file;
    file.rank = rank;
    file.bytes_ = static_cast<std::size_t>(info.st_size);
    if (file.bytes_ > 0) {
      file.map_ = ::mmap(nullptr, file.bytes_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
      if (file.map_ == MAP_FAILED)
        return fail_at(ErrorCode::kIo, path, 0, "cannot be mapped: " + cuco::impl::errno_text(errno));
    }
    auto const* first = static_cast<emu::TraceRecord const*>(file.map_);
    std::size_t const n = file.bytes_ / sizeof(emu::TraceRecord);
    auto const* last = std::partition_point(
        first, first + n, [](emu::TraceRecord const& r) { return r.kind != emu::TraceKind::kNone; });
    file.records = {first, last};
    return file;
  }
  TraceFile(TraceFile&& o) noexcept
      : rank(o.rank), records(o.records), map_(std::exchange(o.map_, nullptr)), bytes_(o.bytes_) {}
  TraceFile& operator=(TraceFile&&) = delete;
  ~TraceFile() {
    if (map_ != nullptr && map_ != MAP_FAILED) ::munmap(map_, bytes_);
  }

  int rank = 0;
  std::span<emu::TraceRecord const> records{};

 private:
  TraceFile() = default;
  void* map_ = nullptr;
  std::size_t bytes_ = 0;
};

/// A launch of a kernel.
struct TracedKernel {
  std::string name;
  int line = 0;
};

struct Trace {
  std::vector<TraceFile> files;
  int ranks = 0;
  std::string program;  ///< Path of the executable.
  /// Per rank, by number of the stack: return addresses, innermost first, relative to the program's base.
  std::vector<std::vector<std::vector<std::uint64_t>>> stacks;
  std::vector<std::map<std::uint64_t, TracedKernel>> kernels;  ///< Per rank, by grid.

  /// Calls `take(file index, record)` for all records, causes before effects.
  template <typename F>
  void replay(F take) const {
    struct Head {
      std::uint64_t time;
      std::size_t file;
      bool operator>(Head const& o) const { return time != o.time ? time > o.time : file > o.file; }
    };
    std::priority_queue<Head, std::vector<Head>, std::greater<>> heads;
    std::vector<std::size_t> next(files.size(), 0);
    for (std::size_t i = 0; i < files.size(); ++i)
      if (!files[i].records.empty()) heads.push({files[i].records[0].time, i});
    while (!heads.empty()) {
      std::size_t const i = heads.top().file;
      heads.pop();
      auto const records = files[i].records;
      std::uint64_t const until = heads.empty() ? ~std::uint64_t{0} : heads.top().time;
      do {
        take(i, records[next[i]++]);
      } while (next[i] < records.size() && (records[next[i]].time == 0 || records[next[i]].time < until));
      if (next[i] < records.size()) heads.push({records[next[i]].time, i});
    }
  }
};

inline Status read_stacks(std::string const& path, std::vector<std::vector<std::uint64_t>>& stacks) {
  auto const text = read_file(path);
  if (!text) return tl::unexpected<Error>(text.error());
  stacks.resize(1);
  for (std::size_t at = 0; at + sizeof(emu::TraceStack) <= text->size();) {
    emu::TraceStack head{};
    std::memcpy(&head, text->data() + at, sizeof head);
    at += sizeof head;
    std::size_t const bytes = head.depth * sizeof(std::uint64_t);
    if (head.depth > emu::TraceStack::kMost || bytes > text->size() - at || head.number > (1U << 24U)) break;
    if (stacks.size() <= head.number) stacks.resize(head.number + 1);
    stacks[head.number].resize(head.depth);
    std::memcpy(stacks[head.number].data(), text->data() + at, bytes);
    at += bytes;
  }
  return {};
}

inline Status read_names(std::string const& path,
                         std::string& program,
                         std::map<std::uint64_t, TracedKernel>& kernels) {
  std::ifstream in(path);
  if (!in) return fail_at(ErrorCode::kIo, path, 0, "cannot be read");
  for (std::string word; in >> word;) {
    std::string rest;
    if (word == "kernel") {
      std::uint64_t grid = 0;
      TracedKernel kernel;
      in >> grid >> kernel.line;
      std::getline(in, rest);
      kernel.name = rest.empty() ? rest : rest.substr(1);
      kernels[grid] = std::move(kernel);
    } else {
      std::getline(in, rest);
      if (word == "file" && !rest.empty()) program = rest.substr(1);
    }
  }
  return {};
}

/// Reads what a run left in `directory`. Errors: kIo.
inline Result<Trace> read_trace(std::string const& directory) {
  Trace trace;
  std::vector<std::pair<int, std::string>> paths;
  std::error_code problem;
  for (auto const& entry : std::filesystem::directory_iterator(directory, problem)) {
    std::string const name = entry.path().filename().string();
    int rank = -1;
    if (!name.starts_with("rank")) continue;
    std::from_chars(name.data() + 4, name.data() + name.size(), rank);
    if (rank < 0 || rank > 255) continue;
    trace.ranks = std::max(trace.ranks, rank + 1);
    if (name.ends_with(".trace")) paths.emplace_back(rank, entry.path().string());
  }
  if (problem) return fail_at(ErrorCode::kIo, directory, 0, "cannot be read: " + problem.message());
  std::sort(paths.begin(), paths.end());
  for (auto const& [rank, path] : paths) {
    auto file = TraceFile::open(path, rank);
    if (!file) return forward_error(std::move(file));
    trace.files.push_back(std::move(*file));
  }
  trace.stacks.resize(static_cast<std::size_t>(trace.ranks));
  trace.kernels.resize(static_cast<std::size_t>(trace.ranks));
  for (int r = 0; r < trace.ranks; ++r) {
    std::string const prefix = directory + "/rank" + std::to_string(r);
    auto const rank = static_cast<std::size_t>(r);
    if (auto read = read_stacks(prefix + ".stacks", trace.stacks[rank]); !read)
      return forward_error(std::move(read));
    if (auto read = read_names(prefix + ".names", trace.program, trace.kernels[rank]); !read)
      return forward_error(std::move(read));
  }
  return trace;
}

}  // namespace cuco::checking
