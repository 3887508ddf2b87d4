// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "cuco/store/run_storage.hpp"

namespace cuco {

/// Holds any RunStorage and models RunStorage itself: for programs that choose at run time. Movable, not
/// copyable.
class AnyStorage {
 public:
  template <class S>
  requires(!std::same_as<std::remove_cvref_t<S>, AnyStorage> &&
           RunStorage<std::remove_cvref_t<S>>) explicit AnyStorage(S&& storage)
      : model_(std::make_unique<Model<std::remove_cvref_t<S>>>(std::forward<S>(storage))) {}

  [[nodiscard]] Result<void> add(Program program) { return model_->add(std::move(program)); }
  [[nodiscard]] Result<Program> get(ProgramId const& id) const { return model_->get(id); }
  [[nodiscard]] Result<Program> best() const { return model_->best(); }
  [[nodiscard]] Result<std::vector<Program>> top(std::size_t n, ProgramFilter const& filter = {}) const {
    return model_->top(n, filter);
  }
  [[nodiscard]] Result<std::vector<Program>> scan(ProgramFilter const& filter = {}) const {
    return model_->scan(filter);
  }
  template <class F>
  [[nodiscard]] Result<void> transaction(F&& f) {
    return model_->transaction(std::ref(f));
  }
  [[nodiscard]] Result<void> update(Program const& program) { return model_->update(program); }
  [[nodiscard]] Result<void> set_archived(ProgramId const& id, bool archived) {
    return model_->set_archived(id, archived);
  }
  [[nodiscard]] Result<void> set_value(std::string const& key, std::string const& value) {
    return model_->set_value(key, value);
  }
  [[nodiscard]] Result<std::optional<std::string>> value(std::string const& key) const {
    return model_->value(key);
  }
  [[nodiscard]] Result<std::size_t> size() const { return model_->size(); }
  [[nodiscard]] Result<std::vector<Member>> members() const { return model_->members(); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual Result<void> add(Program program) = 0;
    virtual Result<Program> get(ProgramId const& id) const = 0;
    virtual Result<Program> best() const = 0;
    virtual Result<std::vector<Program>> top(std::size_t n, ProgramFilter const& filter) const = 0;
    virtual Result<std::vector<Program>> scan(ProgramFilter const& filter) const = 0;
    virtual Result<void> transaction(std::function<Result<void>()> f) = 0;
    virtual Result<void> update(Program const& program) = 0;
    virtual Result<void> set_archived(ProgramId const& id, bool archived) = 0;
    virtual Result<void> set_value(std::string const& key, std::string const& value) = 0;
    virtual Result<std::optional<std::string>> value(std::string const& key) const = 0;
    virtual Result<std::size_t> size() const = 0;
    virtual Result<std::vector<Member>> members() const = 0;
  };

  template <class S>
  struct Model final : Interface {
    explicit Model(S&& s) : storage(std::move(s)) {}
    Result<void> add(Program program) override { return storage.add(std::move(program)); }
    Result<Program> get(ProgramId const& id) const override { return storage.get(id); }
    Result<Program> best() const override { return storage.best(); }
    Result<std::vector<Program>> top(std::size_t n, ProgramFilter const& f) const override {
      return storage.top(n, f);
    }
    Result<std::vector<Program>> scan(ProgramFilter const& f) const override { return storage.scan(f); }
    Result<void> transaction(std::function<Result<void>()> f) override {
      return storage.transaction(std::move(f));
    }
    Result<void> update(Program const& program) override { return storage.update(program); }
    Result<void> set_archived(ProgramId const& id, bool archived) override {
      return storage.set_archived(id, archived);
    }
    Result<void> set_value(std::string const& key, std::string const& value) override {
      return storage.set_value(key, value);
    }
    Result<std::optional<std::string>> value(std::string const& key) const override {
      return storage.value(key);
    }
    Result<std::size_t> size() const override { return storage.size(); }
    Result<std::vector<Member>> members() const override { return storage.members(); }
    S storage;
  };

  std::unique_ptr<Interface> model_;
};

static_assert(explain_run_storage<AnyStorage>());

}  // namespace cuco
