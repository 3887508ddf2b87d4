// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace cuco::impl {

/// What an HTML page of a graph begins with, after its title.
inline constexpr std::string_view kPageStyle = R"(<style>
:root { color-scheme: light dark; --page: #ffffff; --text: #1b1f24; --faint: #57606a; --line: #8c959f;
  --kernel: #dafbe1; --copy: #eef1f4; --buffer: #ddf4ff; --collective: #f5e6ff; --doubt: #bc4c00; --on: #0969da; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0d1117; --text: #e6edf3; --faint: #9aa4ae; --line: #6e7681;
    --kernel: #12331d; --copy: #21262d; --buffer: #0c2d4a; --collective: #361f4d; --doubt: #f0883e; --on: #58a6ff; } }
body { margin: 1.5rem; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; } h3 { font-size: 1rem; margin: 0; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: 0; color: var(--faint); }
.legend svg { vertical-align: -2px; }
.frame { overflow: auto; max-height: 80vh; border: 1px solid var(--line); border-radius: 6px; padding: 8px; }
svg text { font: 12px ui-monospace, monospace; fill: var(--faint); }
svg text.title { font-weight: 600; fill: var(--text); }
svg rect { stroke: var(--line); }
.kernel rect { fill: var(--kernel); } .copy rect { fill: var(--copy); } .buffer rect { fill: var(--buffer); }
.collective rect { fill: var(--collective); stroke-width: 2; } .doubt rect { stroke: var(--doubt); }
.edge { fill: none; stroke: var(--line); stroke-width: 1.4; } .next { stroke-dasharray: 6 4; }
.unordered { stroke: var(--doubt); stroke-dasharray: 2 3; } marker path { fill: var(--line); }
a.vertex { cursor: pointer; outline: none; }
a.vertex:hover rect, a.vertex:focus rect, a.vertex.on rect { stroke: var(--on); stroke-width: 3; }
.edge.on { stroke: var(--on); stroke-width: 2.4; }
article { border-top: 1px solid var(--line); padding: .6rem 0; } article:target { border-left: 4px solid var(--on); padding-left: .6rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: .2rem 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; } .caution { color: var(--doubt); }
#selected:not(:empty) { border: 2px solid var(--on); border-radius: 6px; padding: .4rem .8rem; margin: .8rem 0; }
#selected article { border: 0; padding: 0; }
</style>
)";

/// What it ends with. Without it the page still shows everything: vertices are links to their text.
inline constexpr std::string_view kPageScript = R"(<script>
"use strict";
const selected = document.getElementById("selected");
const edges = [...document.querySelectorAll(".edge")];
function light(id) {
  for (const e of edges) e.classList.toggle("on", id !== null && (e.dataset.from === id || e.dataset.to === id));
}
let chosen = null;
for (const a of document.querySelectorAll("a.vertex")) {
  const id = a.dataset.id;
  a.addEventListener("mouseenter", () => light(id));
  a.addEventListener("mouseleave", () => light(chosen));
  a.addEventListener("focus", () => light(id));
  a.addEventListener("blur", () => light(chosen));
  a.addEventListener("click", event => {
    event.preventDefault();
    document.querySelector("a.vertex.on")?.classList.remove("on");
    a.classList.add("on");
    chosen = id;
    light(id);
    const copy = document.getElementById("t" + id).cloneNode(true);
    copy.removeAttribute("id");
    selected.replaceChildren(copy);
  });
}
</script>
)";

}  // namespace cuco::impl
