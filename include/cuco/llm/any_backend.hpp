// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

namespace impl {
template <class B>
concept NamesModel = requires(B const& b) {
  { b.model() } -> std::convertible_to<std::string>;
};
}  // namespace impl

/// `provider:model` of a backend, or "unnamed" when it does not tell.
template <class B>
[[nodiscard]] std::string model_of(B const& backend) {
  if constexpr (impl::NamesModel<B>) {
    return backend.model();
  } else {
    return "unnamed";
  }
}

/// An `LLMBackend` chosen at run time. Copies share the backend. Must hold one when `complete` is called
/// (kInternal otherwise).
class AnyBackend {
 public:
  AnyBackend() = default;
  // Not `LLMBackend` here: whether a class that is made from an AnyBackend can be moved would depend on itself.
  template <class B>
  requires(!std::is_same_v<std::remove_cvref_t<B>, AnyBackend> && impl::HasComplete<std::remove_cvref_t<B>>)
      AnyBackend(B&& backend)  // NOLINT(google-explicit-constructor): erasing a model is meant to be silent
      : held_(std::make_shared<Holder<std::remove_cvref_t<B>>>(std::forward<B>(backend))) {}

  [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request) {
    if (!held_) return fail(ErrorCode::kInternal, "AnyBackend holds no backend");
    return held_->complete(request);
  }
  [[nodiscard]] std::string model() const { return held_ ? held_->model() : "none"; }
  [[nodiscard]] explicit operator bool() const { return held_ != nullptr; }

 private:
  struct Base {
    Base() = default;
    Base(Base const&) = delete;
    Base& operator=(Base const&) = delete;
    virtual ~Base() = default;
    virtual Result<ChatReply> complete(ChatRequest const&) = 0;
    [[nodiscard]] virtual std::string model() const = 0;
  };
  template <class B>
  struct Holder final : Base {
    static_assert(LLMBackend<B>);
    explicit Holder(B b) : backend(std::move(b)) {}
    Result<ChatReply> complete(ChatRequest const& request) override { return backend.complete(request); }
    [[nodiscard]] std::string model() const override { return model_of(backend); }
    B backend;
  };
  std::shared_ptr<Base> held_;
};

static_assert(explain_llm_backend<AnyBackend>());

}  // namespace cuco
