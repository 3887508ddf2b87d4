// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cuco/core/chat.hpp"
#include "cuco/core/event.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/llm/ensemble_policy.hpp"
#include "cuco/llm/impl/generation_scope.hpp"

namespace cuco::impl {

/// What an ensemble has to tell its policy about an event.
struct ArmNews {
  bool restart = false;  ///< Forget everything first: what follows is the whole run from its beginning.
  std::optional<std::size_t> submitted{};
  std::optional<std::size_t> completed{};
  ArmResult result{};
};

/// The part of an ensemble that does not depend on its policy: who is who, which conversation belongs to
/// which arm, and what events mean. One thread at a time.
class EnsembleBook {
 public:
  EnsembleBook() = default;
  EnsembleBook(std::vector<std::string> models, std::uint64_t seed);

  /// The arms' names: their models, with "#2" and so on where several have the same.
  [[nodiscard]] std::vector<std::string> const& names() const { return names_; }
  /// `ensemble:A|B`
  [[nodiscard]] std::string model() const;

  /// What `event` means for the policy.
  [[nodiscard]] ArmNews on(Event const& event);

  /// A conversation: its name and how often it was begun in this generation.
  struct Turn {
    std::string conversation{};
    bool aside = false;
    std::optional<std::size_t> arm{};  ///< Who answered its earlier turns; empty: it begins, or is not ours.
    Rng rng{0};                        ///< For choosing its arm.
  };
  /// `aside`: a conversation that no program is to come of.
  [[nodiscard]] Turn turn(ChatRequest const& request, bool aside);
  /// `arm` takes the conversation.
  void assign(Turn const& turn, std::size_t arm);
  /// What counts against the arms for the choice of `turn`.
  [[nodiscard]] std::vector<int> const& pulls(Turn const& turn) const {
    return turn.aside ? no_pulls_ : pulls_;
  }

  /// Policy state as JSON with the arms' names, and back for arms that may have changed since.
  [[nodiscard]] std::string wrap(std::string_view policy, std::string const& state) const;
  [[nodiscard]] Result<std::string> unwrap(std::string_view policy, std::string_view text) const;

 private:
  struct Conversation {
    int begun = 0;
    std::optional<std::size_t> arm{};
  };
  [[nodiscard]] std::optional<std::size_t> arm_of(Program const& program) const;
  [[nodiscard]] std::optional<double> score_of(std::string id) const;
  void remember(Program const& program);
  [[nodiscard]] ArmResult result_of(Program const& program) const;
  void forget_run();

  std::vector<std::string> names_{};
  std::uint64_t seed_ = 0;
  GenerationScope scope_{};
  bool restoring_ = false;
  std::vector<int> pulls_{};
  std::vector<int> no_pulls_{};  ///< As many zeros.
  std::unordered_map<std::string, Conversation> conversations_{};
  std::unordered_map<std::string, double> scores_{};  ///< Of correct programs, by id.
  std::optional<double> baseline_{};
};

/// `request` without what a provider wants back from its own earlier turns, for another provider.
[[nodiscard]] ChatRequest without_provider_state(ChatRequest request);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/ensemble_book-inl.hpp"
#endif
