// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/evaluate/impl/mpirun_output.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "cuco/core/rng.hpp"
#include "cuco/evaluate/impl/mpirun.hpp"

namespace cuco::impl::evaluating {
namespace {

/// As Open MPI's launcher writes it.
std::string escape(std::string const& text) {
  std::string out;
  for (char c : text) {
    auto const code = static_cast<unsigned char>(c);
    char buffer[16];
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (code < 32 || code > 127) {
      std::snprintf(buffer, sizeof buffer, "&#%03d;", code);
      out += buffer;
    } else
      out += c;
  }
  return out;
}

TEST(MpirunOutput, EscapesAreUndone) {
  std::string every;
  for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
  EXPECT_EQ(unescape_xml(escape(every)), every);
  EXPECT_EQ(unescape_xml("&nbsp; &#999; & &#12 &lt"), "&nbsp; &#999; & &#12 &lt");
}

TEST(MpirunOutput, SplitsWhatTheRealLauncherWrites) {
  auto const out = parse_mpirun_xml(
      "<mpirun>\n<stdout rank=\"1\">ab</stdout><stdout rank=\"0\">ab</stdout><stdout rank=\"1\">cd "
      "&lt;x&gt;&#010;</stdout>\n"
      "<stderr rank=\"0\">oops&#010;</stderr>\n<stderr>mpirun says&#010;</stderr>\nfree text\n</mpirun>\n",
      2);
  EXPECT_EQ(out.rank_stdout, (std::vector<std::string>{"ab", "abcd <x>\n"}));
  EXPECT_EQ(out.rank_stderr, (std::vector<std::string>{"oops\n", ""}));
  EXPECT_EQ(join_by_rank(out.rank_stderr), "[0] oops\n");
  EXPECT_NE(out.launcher_text.find("mpirun says\n"), std::string::npos);
  EXPECT_NE(out.launcher_text.find("free text"), std::string::npos);
}

TEST(MpirunOutput, RanksOutOfRangeAreDropped) {
  auto const out = parse_mpirun_xml("<stdout rank=\"7\">x</stdout><stdout rank=\"-1\">y</stdout>", 2);
  EXPECT_EQ(out.rank_stdout, (std::vector<std::string>{"", ""}));
}

TEST(MpirunOutput, AnyInterleavingOfPartialWritesGivesBackEachRanksText) {
  Rng rng(3);
  std::vector<std::string> const pieces{"Time: 1 ms\n",
                                        "Verification: PASS\n",
                                        "</stdout>",
                                        "<stdout rank=\"1\">",
                                        "[1,1]<stdout>:",
                                        "&lt;",
                                        "&",
                                        "\n",
                                        "\r",
                                        "x",
                                        "\xff\x80",
                                        std::string(1, '\0')};
  for (int round = 0; round < 500; ++round) {
    int const ranks = 1 + static_cast<int>(rng.below(4));
    std::vector<std::string> expected(static_cast<std::size_t>(ranks));
    std::string stream = "<mpirun>\n";
    for (int i = 0; i < 30; ++i) {
      std::size_t const rank = rng.below(expected.size());
      std::string piece;
      for (std::size_t n = 1 + rng.below(3); n > 0; --n) piece += pieces[rng.below(pieces.size())];
      expected[rank] += piece;
      stream += "<stdout rank=\"" + std::to_string(rank) + "\">" + escape(piece) + "</stdout>" +
                (rng.chance(0.5) ? "\n" : "");
    }
    stream += "</mpirun>\n";
    EXPECT_EQ(parse_mpirun_xml(stream, ranks).rank_stdout, expected);
    // Cut anywhere, no rank gets a byte that it did not print.
    auto const cut = parse_mpirun_xml(std::string_view(stream).substr(0, rng.below(stream.size())), ranks);
    for (std::size_t rank = 0; rank < expected.size(); ++rank) {
      std::string const& got = cut.rank_stdout[rank];
      std::size_t const sure = got.size() < 6 ? 0 : got.size() - 6;  // The last escape may be torn.
      EXPECT_EQ(got.substr(0, sure), expected[rank].substr(0, sure));
    }
  }
}

TEST(MpirunOutput, FindsTheSignal) {
  EXPECT_EQ(launcher_signal("mpirun noticed that process rank 1 with PID 0 on node x exited on signal 11 "
                            "(Segmentation fault)."),
            11);
  EXPECT_EQ(launcher_signal("exited with code 3"), 0);
}

TEST(LaunchArgv, PassesRanksAndArgumentsAsTheyAre) {
  RunSpec spec;
  spec.binary = "/x/program";
  spec.args = {"--a b", "$(reboot)", ""};
  spec.ranks = 5;
  auto const argv = launch_argv({"/usr/bin/mpirun", 4, ""}, spec, true);
  EXPECT_EQ(argv[1], "--allow-run-as-root");
  std::vector<std::string> const tail(argv.end() - 6, argv.end());
  EXPECT_EQ(tail, (std::vector<std::string>{"-np", "5", "/x/program", "--a b", "$(reboot)", ""}));
  auto const user = launch_argv({"/usr/bin/mpirun", 4, ""}, spec, false);
  EXPECT_EQ(std::count(user.begin(), user.end(), "--allow-run-as-root"), 0);
}

}  // namespace
}  // namespace cuco::impl::evaluating
