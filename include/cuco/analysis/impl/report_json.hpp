// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/core/impl/inline.hpp"

namespace cuco {
namespace impl {

using Json = nlohmann::ordered_json;

inline Json texts(std::vector<Argument> const& args) {
  Json out = Json::array();
  for (Argument const& a : args) out.push_back(a.text);
  return out;
}

inline Json to_object(BufferRole const& b) {
  return {{"expr", b.expr},
          {"base", b.base},
          {"allocation", b.allocation},
          {"producers", b.producers},
          {"consumers", b.consumers},
          {"copies_in", b.copies_in},
          {"copies_out", b.copies_out}};
}

inline Json to_object(Call const& c) {
  return {{"name", c.name},
          {"line", c.line},
          {"wrapper", c.wrapper},
          {"bare_statement", c.bare_statement},
          {"args", texts(c.args)},
          {"function", c.function},
          {"loop", c.loop},
          {"macro", c.macro}};
}

inline Json to_object(Function const& f) {
  return {{"name", f.name},
          {"scope", f.scope},
          {"return_type", f.return_type},
          {"parameters", f.parameters},
          {"parameter_names", f.parameter_names},
          {"line", f.line},
          {"end_line", f.end_line},
          {"is_kernel", f.is_kernel},
          {"is_device", f.is_device},
          {"is_template", f.is_template}};
}

inline Json to_object(Launch const& l) {
  return {{"kernel", l.kernel},
          {"line", l.line},
          {"grid", l.grid},
          {"block", l.block},
          {"shared", l.shared},
          {"stream", l.stream},
          {"args", texts(l.args)},
          {"function", l.function},
          {"loop", l.loop},
          {"cooperative", l.cooperative}};
}

inline Json to_object(CommunicationNode const& n) {
  return {{"collective", n.collective},
          {"call", n.call},
          {"send", to_object(n.send)},
          {"recv", to_object(n.recv)},
          {"count", n.count},
          {"datatype", n.datatype},
          {"op", n.op},
          {"root", n.root},
          {"peer", n.peer},
          {"comm", n.comm},
          {"stream", n.stream},
          {"in_place", n.in_place},
          {"in_group", n.in_group},
          {"confidence", n.confidence},
          {"guesses", n.guesses}};
}

inline Json to_object(Loop const& l) {
  return {{"header", l.header},
          {"line", l.line},
          {"end_line", l.end_line},
          {"braced", l.braced},
          {"function", l.function},
          {"parent", l.parent}};
}
inline Json to_object(Allocation const& a) {
  return {{"call", a.call},
          {"allocator", a.allocator},
          {"buffer", a.buffer},
          {"base", a.base},
          {"size", a.size},
          {"symmetric", a.symmetric}};
}
inline Json to_object(Macro const& m) {
  return {{"name", m.name}, {"parameters", m.parameters}, {"value", m.value}, {"line", m.line}};
}
inline Json to_object(Include const& i) {
  return {{"target", i.target}, {"line", i.line}};
}

template <class T>
Json to_objects(std::vector<T> const& items) {
  Json out = Json::array();
  for (T const& item : items) out.push_back(to_object(item));
  return out;
}

}  // namespace impl

CUCO_EVOLVE_INLINE std::string to_json(Report const& report) {
  impl::Json const out = {{"file", report.file},
                          {"lines", report.lines},
                          {"includes", impl::to_objects(report.includes)},
                          {"macros", impl::to_objects(report.macros)},
                          {"functions", impl::to_objects(report.functions)},
                          {"loops", impl::to_objects(report.loops)},
                          {"calls", impl::to_objects(report.calls)},
                          {"collectives", report.collectives},
                          {"setup", report.setup},
                          {"sync_points", report.sync_points},
                          {"mpi", report.mpi},
                          {"allocations", impl::to_objects(report.allocations)},
                          {"launches", impl::to_objects(report.launches)},
                          {"graph", impl::to_objects(report.graph)},
                          {"notes", report.notes}};
  return out.dump(2, ' ', false, impl::Json::error_handler_t::replace);
}

}  // namespace cuco
