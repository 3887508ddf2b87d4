// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cuco {

/// A named number about a program, for example `{"time_ms", 0.42}`.
struct Metric {
  std::string name;
  double value = 0;
  bool operator==(Metric const&) const = default;
};
using Metrics = std::vector<Metric>;

/// A named text about a program (patch name, directives, …), in insertion order.
struct Attribute {
  std::string name;
  std::string value;
  bool operator==(Attribute const&) const = default;
};
using Attributes = std::vector<Attribute>;

/// Where a time comes from.
enum class Origin : std::uint8_t {
  kNone,      ///< There is no time.
  kMeasured,  ///< A GPU's clock.
  kModelled,  ///< The emulator's machine model.
};
constexpr char const* to_string(Origin origin) {
  return origin == Origin::kMeasured ? "measured" : origin == Origin::kModelled ? "modelled" : "none";
}

/// Whose word a verdict rests on.
enum class Trust : std::uint8_t {
  kSelfReported,  ///< The program printed its own PASS (program contract).
  kEmulated,      ///< It also passed on the emulator under adversarial delivery, by its frozen verification.
  kHarness,       ///< The harness owned inputs, clock and oracle.
};
constexpr char const* to_string(Trust trust) {
  return trust == Trust::kHarness ? "harness" : trust == Trust::kEmulated ? "emulated" : "self_reported";
}

/// The value of the metric called `name`, or `fallback`.
inline double metric_or(Metrics const& metrics, std::string const& name, double fallback) {
  for (auto const& m : metrics)
    if (m.name == name) return m.value;
  return fallback;
}

/// The value of the attribute called `name`, or `fallback`.
inline std::string attribute_or(Attributes const& attributes,
                                std::string const& name,
                                std::string fallback = {}) {
  for (auto const& a : attributes)
    if (a.name == name) return a.value;
  return fallback;
}

/// Sets the attribute called `name`, adding it when it is not there.
inline void set_attribute(Attributes& attributes, std::string const& name, std::string value) {
  for (auto& a : attributes) {
    if (a.name == name) {
      a.value = std::move(value);
      return;
    }
  }
  attributes.push_back({name, std::move(value)});
}

}  // namespace cuco
