// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include "cuco/check/checker.hpp"
#include "cuco/check/impl/classify.hpp"
#include "cuco/check/impl/deadlock_rule.hpp"
#include "cuco/check/impl/overrides.hpp"
#include "cuco/check/impl/source_lines.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/devices.hpp"
#include "cuco/process/scratch_folder.hpp"

namespace cuco {

namespace checking {

/// One way in which ranks, network and GPUs may behave.
struct Schedule {
  int ranks = 2;
  GinMode mode = GinMode::kEager;
  std::uint64_t seed = 1;
  int per_node = 0;  ///< GPUs per node; 0: one node.

  [[nodiscard]] std::string text() const {
    std::string out = fmt::format("{}:{}:{}", ranks, to_string(mode), seed);
    if (per_node > 0) out += fmt::format(":{}", per_node);
    return out;
  }
};

CUCO_EVOLVE_INLINE Result<Schedule> parse_schedule(std::string const& text) {
  std::vector<std::string> parts(1);
  for (char const c : text) {
    if (c == ':')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  auto const number = [](std::string const& word, auto& out) {
    auto const [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
    return error == std::errc() && end == word.data() + word.size();
  };
  Schedule s;
  bool good = (parts.size() == 3 || parts.size() == 4) && number(parts[0], s.ranks) &&
              number(parts[2], s.seed) && s.ranks >= 1 && s.ranks <= 64;
  bool known = false;
  for (GinMode const mode : {GinMode::kEager, GinMode::kLazy, GinMode::kRandom, GinMode::kAdversarial})
    if (good && parts[1] == to_string(mode)) {
      s.mode = mode;
      known = true;
    }
  good = good && known && (parts.size() == 3 || (number(parts[3], s.per_node) && s.per_node >= 1));
  if (!good)
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("'{}' is no schedule", text),
                "write ranks:mode:seed or ranks:mode:seed:gpus_per_node, as in 4:adversarial:7; modes are "
                "eager, lazy, random, "
                "adversarial");
  return s;
}

/// What is tried, the likeliest to show something first.
CUCO_EVOLVE_INLINE std::vector<Schedule> schedules_of(CheckOptions const& options, bool network) {
  std::vector<Schedule> out;
  for (int const ranks : options.ranks) {
    out.push_back({ranks, GinMode::kEager, 1, 0});
    auto const seeds = static_cast<std::uint64_t>(std::max(1, options.seeds));
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      out.push_back({ranks, GinMode::kAdversarial, seed, 0});
      out.push_back({ranks, GinMode::kRandom, seed, 0});
    }
    if (!network) continue;
    out.push_back({ranks, GinMode::kLazy, 1, 0});
    // Some ranks reach each other by load and store, others by the network only.
    if (ranks >= 4 && ranks % 2 == 0) out.push_back({ranks, GinMode::kAdversarial, 1, ranks / 2});
    if (ranks == 2) out.push_back({ranks, GinMode::kLazy, 1, 1});
  }
  return out;
}

/// One check: the program built once, run under schedules.
class Check {
 public:
  Check(CheckOptions const& options, SourceProgram const& program) : options_(options), program_(program) {}

  Result<SoundnessReport> run() {
    report_.file = program_.name;
    std::vector<Override> wanted;
    for (auto const& [name, value] : options_.overrides) wanted.push_back({name, value});
    auto changed = apply_overrides(program_, wanted);
    if (!changed) return forward_error(std::move(changed));
    code_ = std::move(changed->code);
    report_.overrides = std::move(changed->notes);
    index_lines();

    std::vector<Schedule> plan;
    if (!options_.schedule.empty()) {
      auto one = parse_schedule(options_.schedule);
      if (!one) return forward_error(std::move(one));
      plan.push_back(*one);
    } else {
      plan = schedules_of(options_, code_.find("ncclGin") != std::string::npos);
    }
    auto scratch = ScratchFolder::make(shared_temporary_folder());
    if (!scratch) return forward_error(std::move(scratch));
    folder_ = scratch->path();
    auto built = build();
    if (!built) return forward_error(std::move(built));
    if (!*built) return std::move(report_);
    for (Schedule const& s : plan) {
      if (options_.cancel != nullptr && options_.cancel->load())
        return fail(ErrorCode::kCancelled, "the check was interrupted");
      if (options_.progress) options_.progress(s.text());
      if (auto done = one(s); !done) return forward_error(std::move(done));
      if (!report_.stopped.empty() || (!report_.defects.empty() && !options_.all)) break;
    }
    finish();
    return std::move(report_);
  }

 private:
  void index_lines() {
    std::size_t from = 0;
    while (from <= code_.size()) {
      std::size_t const end = std::min(code_.find('\n', from), code_.size());
      lines_.push_back(code_.substr(from, end - from));
      from = end + 1;
    }
  }
  Result<bool> build() {
    std::string const source = folder_ + "/" + program_.name;
    if (auto written = write_file_atomic(source, code_); !written) return forward_error(std::move(written));
    BuildSpec spec;
    spec.source_path = source;
    spec.output_path = folder_ + "/program";
    spec.standard = options_.standard;
    auto built = Devices::emulated(options_.emulator).build(spec);
    if (!built) return forward_error(std::move(built));
    if (built->built) return true;
    std::string first = built->diagnostics.substr(0, built->diagnostics.find('\n'));
    report_.stopped = built->timed_out ? "compiling it took too long"
                                       : "it does not compile for the emulator: " + at_origin(first);
    return false;
  }
  /// "main.cu:12: text" with the line where it was written.
  std::string at_origin(std::string text) const {
    std::string const prefix = program_.name + ":";
    std::size_t const at = text.find(prefix);
    if (at == std::string::npos || program_.map.empty()) return text;
    std::size_t const digits = at + prefix.size();
    std::uint32_t line = 0;
    auto const [end, error] = std::from_chars(text.data() + digits, text.data() + text.size(), line);
    if (error != std::errc() || line == 0) return text;
    SourcePlace const place = program_.map.locate(line);
    return text.substr(0, at) + (place.file.empty() ? program_.name : place.file) + ":" +
           std::to_string(place.line) + text.substr(static_cast<std::size_t>(end - text.data()));
  }
  CodePlace place(SourceLine const& line, std::string what) const {
    CodePlace out;
    out.what = std::move(what);
    if (line.line <= 0) return out;
    auto const number = static_cast<std::uint32_t>(line.line);
    SourcePlace const origin = program_.map.empty() ? SourcePlace{"", number} : program_.map.locate(number);
    out.file = origin.file.empty() ? program_.name : origin.file;
    out.line = static_cast<int>(origin.line);
    if (number <= lines_.size()) out.source = std::string(trimmed(lines_[number - 1]));
    return out;
  }

  Result<EmulatedOptions> emulator(Schedule const& s) const {
    EmulatedOptions out = options_.emulator;
    if (s.per_node <= 0) return out;
    std::string const path = folder_ + "/machine" + std::to_string(s.per_node) + ".toml";
    std::string const text = fmt::format(
        "base = \"{}\"\nname = \"check\"\ndescription = \"{} GPUs per node\"\n[topology]\ngpus_per_node = "
        "{}\n",
        out.machine.empty() ? "h200-nvlink" : out.machine,
        s.per_node,
        s.per_node);
    if (auto written = write_file_atomic(path, text); !written) return forward_error(std::move(written));
    out.machine = path;
    return out;
  }

  Status one(Schedule const& s) {
    auto const start = std::chrono::steady_clock::now();
    auto settings = emulator(s);
    if (!settings) return forward_error(std::move(settings));
    auto traces = ScratchFolder::make(folder_);
    if (!traces) return forward_error(std::move(traces));
    RunSpec spec;
    spec.binary = folder_ + "/program";
    spec.args = options_.args;
    spec.ranks = s.ranks;
    spec.deadline = options_.deadline;
    spec.gin_mode = s.mode;
    spec.seed = s.seed;
    spec.skew_us = s.mode == GinMode::kEager ? 0 : 1000;
    spec.environment = {{"CUCO_EMU_TRACE_DIR", traces->path()}, {"CUCO_EMU_DEADLOCK_MS", "1500"}};
    auto const result = Devices::emulated(*settings).run(spec);
    if (!result) return tl::unexpected<Error>(result.error());
    auto const trace = read_trace(traces->path());
    if (!trace) return tl::unexpected<Error>(trace.error());

    CheckedRun run;
    run.schedule = s.text();
    std::size_t const before = report_.defects.size();
    analyse(*trace, *result, s, run);
    run.defects = report_.defects.size() - before;
    run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    report_.runs.push_back(std::move(run));
    return {};
  }

  void analyse(Trace const& trace, RunResult const& result, Schedule const& s, CheckedRun& run) {
    Replay const seen(trace, {});
    Replay const once(trace, {.previous = &seen});
    Replay const twice(trace, {.previous = &once});
    Replay const ordered(trace, {.check = true, .previous = &twice});
    Replay const found(trace, {.strong = false, .check = true, .previous = &twice});
    run.accesses = found.accesses();
    Classifier const names(trace, found, ordered);
    std::vector<Raw> raw = names.all();
    std::vector<std::string> const lines = emulator_lines(result.stderr_text + "\n" + result.launcher_text);
    std::string detail;
    for (std::string const& line : lines) detail += (detail.empty() ? "" : "\n") + line;
    if (result.not_emulated) {
      report_.stopped = lines.empty() ? "it needs something that is not emulated" : at_origin(lines[0]);
    } else if (result.illegal_use || result.out_of_bounds) {
      Raw r;
      r.message = lines.empty() ? "the emulator ended the program" : at_origin(lines[0]);
      r.rule = rule_of_message(r.message);
      for (Fatal const& f : found.fatals()) {
        if (found.fatals().size() > 1 &&
            r.message.find(fmt::format("rank {}: ", f.rank)) == std::string::npos)
          continue;
        r.places.push_back({f.rank, f.stack, fmt::format("rank {} does it here", f.rank)});
        r.ranks.insert(f.rank);
        break;
      }
      // What was unordered before the end is a consequence as likely as a cause.
      raw.insert(raw.begin(), std::move(r));
      raw.resize(1);
      detail.clear();
    } else if (result.deadlock) {
      // What was unordered before everybody waited is the likelier cause.
      raw.push_back(DeadlockRule(trace, found, names, lines).find());
    } else if (result.timed_out) {
      Raw r = DeadlockRule(trace, found, names, lines).find();
      if (r.places.empty()) {
        report_.stopped = fmt::format(
            "it did not end within {} s under schedule {}", options_.deadline.count() / 1000, run.schedule);
      } else {
        r.rule = "livelock";
        raw.push_back(std::move(r));
      }
    } else if (!result.ok() && raw.empty()) {
      std::string const why = result.signal != 0
                                  ? fmt::format("signal {} ended it", result.signal)
                                  : fmt::format("it ended with exit code {}", result.exit_code);
      bool const says_so = says_wrong(result);
      raw = says_so || passed_ ? names.of_wrong_results() : std::vector<Raw>();
      if (!raw.empty()) {
        raw[0].message += "; the program says that its results are wrong";
      } else if (says_so) {
        raw.push_back({"wrong-result", why + ", and says that its results are wrong", {}, {}});
      } else if (s.per_node > 0 && passed_) {
        run.note = why + ": not made for several nodes";
      } else if (passed_) {
        raw.push_back({"wrong-result", why + " under this schedule, and with 0 under others", {}, {}});
      } else {
        std::string last = result.stderr_text.substr(0, result.stderr_text.find('\n'));
        report_.stopped =
            fmt::format("{} under schedule {}{}", why, run.schedule, last.empty() ? "" : ": " + last);
      }
    }
    passed_ = passed_ || result.ok();
    enter(trace, raw, run.schedule, result.deadlock ? detail : std::string());
  }

  /// Programs print their verdict in many ways.
  static bool says_wrong(RunResult const& result) {
    for (std::string text : result.rank_stdout) {
      std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
      });
      for (char const* word : {"fail", "mismatch", "wrong", "incorrect", "invalid"})
        if (text.find(word) != std::string::npos) return true;
    }
    return false;
  }
  void enter(Trace const& trace,
             std::vector<Raw> const& raw,
             std::string const& schedule,
             std::string const& detail) {
    // What the compiler reads from its standard input is the program.
    SourceLines lines(trace, {program_.name, "<stdin>"});
    std::set<std::pair<int, std::uint32_t>> stacks;
    for (Raw const& r : raw)
      for (Raw::Place const& p : r.places) stacks.emplace(p.rank, p.stack);
    (void)lines.load(stacks);  // without lines the findings still stand
    for (std::size_t i = 0; i < raw.size(); ++i) {
      Raw const& r = raw[i];
      Defect d;
      d.rule = r.rule;
      d.message = r.message;
      d.schedule = schedule;
      d.ranks.assign(r.ranks.begin(), r.ranks.end());
      if (i + 1 == raw.size()) d.detail = detail;
      std::string key = d.rule;
      std::set<std::string> same;
      for (Raw::Place const& p : r.places) {
        CodePlace c = place(lines.of(p.rank, p.stack), p.what);
        std::string const where = c.file + ":" + std::to_string(c.line);
        // One line for all ranks and threads that wait in one place.
        if (r.places.size() > 2 && c.line > 0 && !same.insert(where).second) continue;
        if (d.places.size() < 2) key += "|" + where;
        d.places.push_back(std::move(c));
      }
      if (known_.insert(key).second) report_.defects.push_back(std::move(d));
    }
  }
  void finish() {
    // What broke a rule tells more than the races that follow from it.
    report_.verdict = !report_.defects.empty()   ? Soundness::kUnsound
                      : !report_.stopped.empty() ? Soundness::kUnknown
                                                 : Soundness::kSound;
  }

  CheckOptions const& options_;
  SourceProgram const& program_;
  std::string code_, folder_;
  std::vector<std::string> lines_;
  SoundnessReport report_;
  std::set<std::string> known_;
  bool passed_ = false;
};

}  // namespace checking

CUCO_EVOLVE_INLINE Result<SoundnessReport> Checker::check(SourceProgram const& program) const {
  return checking::Check(options_, program).run();
}

}  // namespace cuco
