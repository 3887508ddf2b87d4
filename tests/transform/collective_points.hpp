// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "transform/collective_program.hpp"

/// @file
/// Sites and points of the design space that together cover every collective, algorithm and kind of launcher.

namespace cuco::testing {

using PointWords = std::vector<std::pair<char const*, char const*>>;

inline PointWords lsa_points() {
  return {
      {"collective=reduce_scatter type=float op=sum", "algorithm=one_shot ctas=2"},
      {"collective=reduce_scatter type=half op=avg", "algorithm=one_shot sync=global ctas=2 vector_bytes=8"},
      {"collective=reduce_scatter type=int64+bfloat16 op=sum+max runtime_type=yes send_staged=yes "
       "recv_staged=yes",
       "algorithm=one_shot ctas=2"},
      {"collective=reduce type=float op=sum", "algorithm=one_shot ctas=2"},
      {"collective=reduce type=int32 op=prod recv_staged=yes", "algorithm=two_shot ctas=2"},
      {"collective=reduce type=float+int8 op=sum+avg runtime_type=yes",
       "algorithm=two_shot sync=global ctas=2 unroll=2"},
      {"collective=broadcast type=float", "algorithm=push ctas=2"},
      {"collective=broadcast type=int8", "algorithm=pull ctas=2"},
      {"collective=broadcast type=double+int8 runtime_type=yes send_staged=yes recv_staged=yes",
       "algorithm=two_shot ctas=2"},
      {"collective=broadcast type=half", "algorithm=two_shot sync=global ctas=2"},
      {"collective=gather type=float", "algorithm=push ctas=2"},
      {"collective=gather type=int8+float runtime_type=yes send_staged=yes recv_staged=yes",
       "algorithm=pull ctas=2"},
      {"collective=gather type=half recv_staged=yes", "algorithm=pull issuer=warp ctas=2"},
      {"collective=scatter type=float", "algorithm=push ctas=2"},
      {"collective=scatter type=int8+double runtime_type=yes", "algorithm=push issuer=warp ctas=2"},
      {"collective=scatter type=half send_staged=yes recv_staged=yes", "algorithm=pull ctas=2"},
      {"collective=all_reduce type=float+half+int64 op=sum+min+avg runtime_type=yes",
       "algorithm=two_shot ctas=2"},
      {"collective=all_reduce type=uint8+int32 op=prod+max runtime_type=yes send_staged=yes recv_staged=yes",
       "algorithm=one_shot ctas=2 unroll=2"},
      {"collective=all_gather type=int8+float runtime_type=yes", "algorithm=push ctas=2"},
      {"collective=all_gather type=half recv_staged=yes send_staged=yes",
       "algorithm=pull issuer=warp ctas=2"},
      {"collective=all_to_all type=uint8+double runtime_type=yes send_staged=yes",
       "algorithm=push ctas=2 placement=stream"},
      {"collective=all_to_all type=float several_streams=yes recv_staged=yes", "algorithm=pull ctas=2"},
  };
}

inline PointWords gin_points() {
  return {
      {"collective=reduce_scatter type=float op=sum", "algorithm=one_shot ctas=2"},
      {"collective=reduce_scatter type=half op=avg", "algorithm=one_shot sync=global ctas=2 vector_bytes=8"},
      {"collective=reduce_scatter type=float op=max", "algorithm=one_shot sync=per_peer issuer=warp ctas=2"},
      {"collective=reduce_scatter type=int64+bfloat16 op=sum+max runtime_type=yes send_staged=yes "
       "recv_staged=yes",
       "algorithm=one_shot ctas=2"},
      {"collective=reduce type=float op=sum", "algorithm=one_shot ctas=2"},
      {"collective=reduce type=int8 op=sum", "algorithm=one_shot sync=per_peer ctas=2 unroll=2"},
      {"collective=reduce type=int32 op=prod recv_staged=yes", "algorithm=two_shot ctas=2"},
      {"collective=reduce type=double op=min", "algorithm=two_shot sync=per_peer issuer=thread ctas=2"},
      {"collective=reduce type=float+int8 op=sum+avg runtime_type=yes",
       "algorithm=two_shot sync=global ctas=2 unroll=2"},
      {"collective=reduce type=uint64 op=max", "algorithm=one_shot sync=global ctas=2"},
      {"collective=broadcast type=float", "algorithm=push ctas=2"},
      {"collective=broadcast type=int8", "algorithm=push issuer=warp ctas=2 contexts=2"},
      {"collective=broadcast type=double+int8 runtime_type=yes send_staged=yes recv_staged=yes",
       "algorithm=two_shot ctas=2"},
      {"collective=broadcast type=half", "algorithm=two_shot issuer=thread ctas=2"},
      {"collective=gather type=float", "algorithm=push ctas=2"},
      {"collective=gather type=int8+float runtime_type=yes send_staged=yes recv_staged=yes",
       "algorithm=push ctas=2"},
      {"collective=scatter type=float", "algorithm=push ctas=2"},
      {"collective=scatter type=int8+double runtime_type=yes", "algorithm=push issuer=warp ctas=2"},
      {"collective=scatter type=half send_staged=yes recv_staged=yes", "algorithm=push issuer=thread ctas=2"},
      {"collective=all_reduce type=float+half+int64 op=sum+min+avg runtime_type=yes",
       "algorithm=two_shot ctas=2"},
      {"collective=all_reduce type=uint8+int32 op=prod+max runtime_type=yes send_staged=yes recv_staged=yes",
       "algorithm=one_shot ctas=2 unroll=2"},
      {"collective=all_gather type=int8+float runtime_type=yes", "algorithm=push ctas=2"},
      {"collective=all_to_all type=uint8+double runtime_type=yes send_staged=yes",
       "algorithm=push ctas=2 placement=stream"},
      {"collective=all_to_all type=float several_streams=yes recv_staged=yes", "algorithm=push ctas=2"},
  };
}

/// The points of one interface, with few threads, because the emulator is quicker then.
inline std::vector<TriedLauncher> tried_points(Api api) {
  std::vector<TriedLauncher> out;
  for (auto const& [site_words, words] : api == Api::LSA ? lsa_points() : gin_points()) {
    Site site = parse_site(site_words).value();
    site.api = api;
    out.push_back(tried(site,
                        std::string("backend=") + to_string(api) + " threads=128 " + words,
                        "_" + std::to_string(out.size())));
  }
  return out;
}

inline std::string section_of(Api api, std::vector<TriedLauncher> const& all) {
  std::vector<impl::Launcher> launchers;
  for (auto const& t : all) launchers.push_back(t.launcher);
  return impl::section_text(api, launchers, true);
}

}  // namespace cuco::testing
