// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the front end writes in place of `kernel<<<…>>>(…)` and `__shared__`, beside `device.hpp`.

#include <cstddef>
#include <type_traits>
#include <utility>

#include "cuco/emu/impl/device.hpp"

namespace cuco::emu {

/// A kernel with its launch configuration; calling it enqueues the kernel.
template <class Callable>
struct ConfiguredLaunch {
  LaunchConfig config;
  Callable callable;
  template <class... A>
  void operator()(A&&... arguments) const {
    launch(config, callable, std::forward<A>(arguments)...);
  }
};
/// The form for kernels without open template parameters: arguments convert as in a call (NULL, braces).
template <class... P>
struct ConfiguredLaunch<void (*)(P...)> {
  LaunchConfig config;
  void (*callable)(P...);
  void operator()(P... arguments) const { launch(config, callable, std::move(arguments)...); }
};

/// The left half of a launch: a kernel, its spelling and its line.
template <class Callable>
struct LaunchSite {
  char const* name;
  int line;
  Callable callable;
  ConfiguredLaunch<Callable> operator()(dim3 grid,
                                        dim3 block,
                                        std::size_t shared_bytes = 0,
                                        cudaStream_t stream = nullptr) const {
    LaunchConfig config;
    config.grid = grid;
    config.block = block;
    config.shared_bytes = shared_bytes;
    config.stream = stream;
    config.name = name;
    config.line = line;
    return {config, callable};
  }
};

/// `k<<<g, b, bytes, stream>>>(args)` becomes `launch_site("k", line, k)(g, b, bytes, stream)(args)`.
template <class Callable>
LaunchSite<std::decay_t<Callable>> launch_site(char const* name, int line, Callable&& callable) {
  return {name, line, std::forward<Callable>(callable)};
}

/// A `__shared__` variable with an alignment attribute.
template <class T, std::size_t Alignment>
T& shared_static(char const* function, int site) {
  constexpr std::size_t kAlignment = Alignment > alignof(T) ? Alignment : alignof(T);
  return *static_cast<T*>(shared_static_bytes(function, site, sizeof(T), kAlignment));
}

}  // namespace cuco::emu
