// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cuco/core/evaluation.hpp"
#include "cuco/core/event.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/store/program_json.hpp"

/// @file
/// A toy problem: a program is two numbers, a mutation moves one of them by one, the score has one summit.

namespace cuco::testing {

inline std::string point(int x, int y) {
  return fmt::format("x {} y {}", x, y);
}

inline std::pair<int, int> coordinates(std::string const& code) {
  std::istringstream in(code);
  std::string word;
  int x = 0;
  int y = 0;
  in >> word >> x >> word >> y;
  return {x, y};
}

/// Moves one coordinate by one inside [0, size); never to a known point.
struct StepMutator {
  int size = 100;

  Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    auto const [x, y] = coordinates(context.parent.code);
    std::vector<std::pair<int, int>> free;
    for (auto [dx, dy] : {std::pair{1, 0}, {-1, 0}, {0, 1}, {0, -1}}) {
      int const nx = x + dx;
      int const ny = y + dy;
      if (nx < 0 || ny < 0 || nx >= size || ny >= size) continue;
      auto const code = point(nx, ny);
      bool known = false;
      if (context.known_codes != nullptr)
        for (auto const& other : *context.known_codes) known = known || other == code;
      if (!known) free.emplace_back(nx, ny);
    }
    if (free.empty()) return fail(ErrorCode::kNotFound, "all neighbours are known");
    auto const [nx, ny] = free[rng.below(free.size())];
    Mutation m;
    m.code = point(nx, ny);
    m.patch_type = "directive";
    m.name = fmt::format("to_{}_{}", nx, ny);
    m.description = "one step";
    m.metadata.push_back({"directives", fmt::format("x={} y={}", nx, ny)});
    return m;
  }
};

/// Moves at random, known or not.
struct RandomStepMutator {
  Result<Mutation> mutate(MutationContext const& context, Rng& rng) {
    MutationContext const blind{context.parent,
                                context.archive_inspirations,
                                context.top_k_inspirations,
                                context.generation,
                                context.phase,
                                {},
                                {},
                                nullptr};
    return StepMutator{.size = 4}.mutate(blind, rng);
  }
};

/// Appends one line to a file, also when several processes and threads do.
inline void append_line(std::string const& path, std::string line) {
  line += '\n';
  int const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) std::abort();
  if (::write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  ::close(fd);
}

inline std::vector<std::string> lines_of(std::string const& path) {
  std::vector<std::string> out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

/// Scores a point by its distance to (summit, summit). Points with (3 x + 5 y) % 19 == 9 are wrong. Takes a
/// time that depends on the point, so that parallel evaluations finish out of order.
struct PointEvaluator {
  int summit = 10;
  int delay_us = 0;   ///< At most; the actual one is a hash of the code.
  std::string log{};  ///< Receives one line per started evaluation: `id code`.
  std::shared_ptr<std::atomic<int>> count = std::make_shared<std::atomic<int>>(0);
  std::shared_ptr<std::atomic<int>> at_once = std::make_shared<std::atomic<int>>(0);
  std::shared_ptr<std::atomic<int>> most_at_once = std::make_shared<std::atomic<int>>(0);

  Result<Evaluation> evaluate(Candidate const& candidate) const {
    if (!log.empty()) append_line(log, candidate.id.value + " " + candidate.code);
    ++*count;
    int const now = ++*at_once;
    for (int seen = *most_at_once; now > seen && !most_at_once->compare_exchange_weak(seen, now);) {
    }
    if (delay_us > 0)
      std::this_thread::sleep_for(
          std::chrono::microseconds(hash64(candidate.code) % static_cast<std::uint64_t>(delay_us)));
    --*at_once;
    auto const [x, y] = coordinates(candidate.code);
    Evaluation e;
    if (!std::filesystem::is_directory(candidate.directory)) {
      e.error = "no directory " + candidate.directory;
      return e;
    }
    if ((3 * x + 5 * y) % 19 == 9) {
      e.outcome = Outcome::kWrongAnswer;
      e.error = "element 0 differs";
      e.text_feedback = "rank 0: expected 1, got \xff";  // not UTF-8 on purpose
      return e;
    }
    e.outcome = Outcome::kCorrect;
    e.slowest_ms = 0.1 + (x - summit) * (x - summit) + (y - summit) * (y - summit) / 3.0;
    e.combined_score = combined_score(e.slowest_ms);
    e.rank_ms = {e.slowest_ms, e.slowest_ms / 2};
    e.origin = Origin::kModelled;
    e.trust = Trust::kEmulated;
    return e;
  }
};

/// Remembers what it saw.
struct Recorder {
  struct Seen {
    Event::Kind kind;
    int generation;
    std::string id;
    std::string best;
    std::string text;
  };
  std::vector<Seen> seen;
  void on(Event const& event) {
    seen.push_back({event.kind,
                    event.generation,
                    event.program == nullptr ? "" : event.program->id.value,
                    event.best == nullptr ? "" : event.best->id.value,
                    event.text});
  }
  [[nodiscard]] int count(Event::Kind kind) const {
    int n = 0;
    for (auto const& s : seen) n += s.kind == kind ? 1 : 0;
    return n;
  }
};

/// What a scan finds, by value: safe in a range-for.
template <class S>
std::vector<Program> rows(S const& storage, ProgramFilter const& filter = {}) {
  return storage.scan(filter).value();
}

/// All rows of a storage without their timestamps.
template <class S>
std::string table(S const& storage) {
  std::string out;
  auto const programs = storage.scan(ProgramFilter{}).value();
  for (auto program : programs) {
    program.timestamp = 0;
    out += to_json(program) + "\n";
  }
  for (char const* key : {"last_iteration",
                          "best_program_id",
                          "beam_search_parent_id",
                          "selector_state",
                          "mutator_state",
                          "skipped_generations",
                          "skips_in_a_row",
                          "stopped",
                          "unattributed_cost",
                          "trailing_cost",
                          "run_seed",
                          "run_sources"})
    out += fmt::format("{} = {}\n", key, storage.value(key).value().value_or("(none)"));
  return out;
}

/// The first line in which two tables differ; empty when they are equal.
inline std::string first_difference(std::string const& a, std::string const& b) {
  std::istringstream x(a);
  std::istringstream y(b);
  std::string p;
  std::string q;
  for (;;) {
    bool const more_x = static_cast<bool>(std::getline(x, p));
    bool const more_y = static_cast<bool>(std::getline(y, q));
    if (!more_x && !more_y) return {};
    if (!more_x) p = "(end)";
    if (!more_y) q = "(end)";
    if (p != q) return p + "\n" + q;
  }
}

/// A folder of this test, removed with it.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "cuco-evolve-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  Scratch(Scratch const&) = delete;
  Scratch& operator=(Scratch const&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string operator/(std::string const& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace cuco::testing
