// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/concepts.hpp"
#include "cuco/core/event.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/impl/record_book.hpp"
#include "cuco/llm/recording_setup.hpp"

namespace cuco {

/// A file of calls to models and their answers, which `Recorded` writes and `ReplayBackend` reads.
///
/// A call is found again by its name: the scope, the hash of the request without secrets (system text,
/// messages, temperature, limits, tools, schema, and the name of the model), and how often that request was
/// asked before in the scope. The scope is the generation that a run is proposing, when the recording hears
/// the run's events
/// (`evolution.observe(recording.observer())`), else one for everything. With the events a run that was
/// killed and resumed gives its calls the names they have in the uninterrupted run: what the killed process
/// had asked for the unfinished generation is answered from the file, and replaying from the beginning finds
/// one answer for every call. Without them a process that starts again is taken to start over.
///
/// Secrets are not written: see redaction.hpp. docs/budgets-and-recordings.md has the format.
/// Copies share the file. Any thread.
class Recording {
 public:
  /// Tells the recording which generation its calls belong to.
  class Observer {
   public:
    void on(Event const& event) { book_->on(event); }

   private:
    friend class Recording;
    explicit Observer(std::shared_ptr<impl::RecordBook> book) : book_(std::move(book)) {}
    std::shared_ptr<impl::RecordBook> book_;
  };

  enum class Use : std::uint8_t { kRecord, kReplay };

  /// Opens a recording: `path` is a folder, which gets `calls.jsonl`, or a file that ends in .jsonl.
  ///
  /// kRecord creates what is missing and goes on at the end; kReplay only reads.
  /// Errors: kNotFound to replay what does not exist; kConflict while another process records there; kParse
  /// with file and line for what is no recording; kIo.
  [[nodiscard]] static Result<Recording> open(std::string const& path, Use use);
  /// The same for places that cannot return an error: when opening fails, every call returns that error.
  Recording(std::string const& path, Use use);

  [[nodiscard]] Observer observer() const { return Observer(book_); }
  /// Calls recorded so far.
  [[nodiscard]] std::size_t size() const { return book_->size(); }
  /// The names of the models that were asked, sorted.
  [[nodiscard]] std::vector<std::string> models() const { return book_->models(); }

  /// Writes down who is asked, before the first call. Nothing is written again when the recording says so
  /// already; another setup than before is logged and replaces it, and what was recorded before may then not
  /// replay. Errors: kIo; kInternal for a recording that is only read.
  [[nodiscard]] Status set_up(RecordingSetup const& setup) { return book_->set_up(setup); }
  /// What `set_up` wrote last. Empty: nothing.
  [[nodiscard]] std::optional<RecordingSetup> setup() const { return book_->setup(); }

  /// Why the first request that a replay could not answer was not: a run that went on without that answer is
  /// another one than was recorded. Empty: everything asked so far was recorded.
  [[nodiscard]] std::optional<Error> missed() const { return book_->missed(); }

  /// @private
  [[nodiscard]] Status const& ready() const { return ready_; }
  /// @private
  [[nodiscard]] impl::RecordBook& book() const { return *book_; }

 private:
  std::shared_ptr<impl::RecordBook> book_ = std::make_shared<impl::RecordBook>();
  Status ready_{};
};

static_assert(explain_observer<Recording::Observer>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/recording-inl.hpp"
#endif
