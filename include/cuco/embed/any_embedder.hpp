// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "cuco/core/concepts.hpp"
#include "cuco/core/embedding.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

namespace impl {
template <class E>
concept NamesEmbedder = requires(E const& e) {
  { e.model() } -> std::convertible_to<std::string>;
};
}  // namespace impl

/// `provider:model` of an embedder, or "unnamed" when it does not tell.
template <class E>
[[nodiscard]] std::string embedder_model(E const& embedder) {
  if constexpr (impl::NamesEmbedder<E>) {
    return embedder.model();
  } else {
    return "unnamed";
  }
}

/// An `Embedder` chosen at run time. Copies share the embedder. Must hold one when `embed` is called
/// (kInternal otherwise).
class AnyEmbedder {
 public:
  AnyEmbedder() = default;
  template <class E>
  requires(!std::is_same_v<std::remove_cvref_t<E>, AnyEmbedder> && impl::HasEmbed<std::remove_cvref_t<E>>)
      AnyEmbedder(E&& embedder)  // NOLINT(google-explicit-constructor): erasing a model is meant to be silent
      : held_(std::make_shared<Holder<std::remove_cvref_t<E>>>(std::forward<E>(embedder))) {}

  [[nodiscard]] Result<Embedding> embed(std::string_view text) {
    if (!held_) return fail(ErrorCode::kInternal, "AnyEmbedder holds no embedder");
    return held_->embed(text);
  }
  [[nodiscard]] std::string model() const { return held_ ? held_->model() : "none"; }
  [[nodiscard]] explicit operator bool() const { return held_ != nullptr; }

 private:
  struct Base {
    Base() = default;
    Base(Base const&) = delete;
    Base& operator=(Base const&) = delete;
    virtual ~Base() = default;
    virtual Result<Embedding> embed(std::string_view) = 0;
    [[nodiscard]] virtual std::string model() const = 0;
  };
  template <class E>
  struct Holder final : Base {
    static_assert(Embedder<E>);
    explicit Holder(E e) : embedder(std::move(e)) {}
    Result<Embedding> embed(std::string_view text) override { return embedder.embed(text); }
    [[nodiscard]] std::string model() const override { return embedder_model(embedder); }
    E embedder;
  };
  std::shared_ptr<Base> held_;
};

static_assert(explain_embedder<AnyEmbedder>());

}  // namespace cuco
