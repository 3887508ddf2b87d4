// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/core/impl/inline.hpp"

namespace cuco {
namespace impl {

using Json = nlohmann::ordered_json;

/// Lines as they were written, for objects with "line" and "end_line" of a flattened program.
inline Json at_origin(Json object, SourceMap const& map) {
  if (map.empty() || !object.contains("line")) return object;
  SourcePlace const place = map.locate(object["line"].get<std::uint32_t>());
  object["line"] = place.line;
  if (object.contains("end_line"))
    object["end_line"] = map.locate(object["end_line"].get<std::uint32_t>()).line;
  if (!place.file.empty()) object["file"] = place.file;
  return object;
}

inline Json texts(std::vector<Argument> const& args) {
  Json out = Json::array();
  for (Argument const& a : args) out.push_back(a.text);
  return out;
}

inline Json to_object(BufferRole const& b) {
  return {{"expr", b.expr},
          {"base", b.base},
          {"allocation", b.allocation},
          {"alternatives", b.alternatives},
          {"symmetric", b.symmetric},
          {"producers", b.producers},
          {"consumers", b.consumers},
          {"copies_in", b.copies_in},
          {"copies_out", b.copies_out},
          {"unordered_launches", b.unordered_launches},
          {"unordered_calls", b.unordered_calls}};
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
          {"group", n.group},
          {"communicator", n.communicator},
          {"communicators", n.communicators},
          {"pattern", n.pattern},
          {"needs_symmetric", n.needs_symmetric},
          {"confidence", n.confidence},
          {"guesses", n.guesses}};
}

inline Json to_object(Group const& g) {
  return {{"start", g.start}, {"end", g.end}, {"calls", g.calls}, {"loop", g.loop}};
}
inline Json to_object(Communicator const& c) {
  return {{"name", c.name}, {"call", c.call}, {"how", c.how}, {"parent", c.parent}, {"nodes", c.nodes}};
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
Json to_objects(std::vector<T> const& items, SourceMap const& map) {
  Json out = Json::array();
  for (T const& item : items) out.push_back(at_origin(to_object(item), map));
  return out;
}

}  // namespace impl

CUCO_EVOLVE_INLINE std::string to_json(Report const& report) {
  impl::Json const out = {{"file", report.file},
                          {"lines", report.lines},
                          {"includes", impl::to_objects(report.includes, report.map)},
                          {"macros", impl::to_objects(report.macros, report.map)},
                          {"functions", impl::to_objects(report.functions, report.map)},
                          {"loops", impl::to_objects(report.loops, report.map)},
                          {"calls", impl::to_objects(report.calls, report.map)},
                          {"collectives", report.collectives},
                          {"setup", report.setup},
                          {"sync_points", report.sync_points},
                          {"mpi", report.mpi},
                          {"allocations", impl::to_objects(report.allocations, report.map)},
                          {"launches", impl::to_objects(report.launches, report.map)},
                          {"graph", impl::to_objects(report.graph, report.map)},
                          {"groups", impl::to_objects(report.groups, report.map)},
                          {"communicators", impl::to_objects(report.communicators, report.map)},
                          {"notes", report.notes}};
  return out.dump(2, ' ', false, impl::Json::error_handler_t::replace);
}

}  // namespace cuco
