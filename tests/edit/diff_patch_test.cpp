// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/edit/diff_patch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/frozen_check.hpp"

namespace {

using cuco::EditFault;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string const kStart = "// EVOLVE-BLOCK-START\n";
std::string const kEnd = "// EVOLVE-BLOCK-END\n";

/// Lines 4-7 and 13-15 are mutable.
std::string const kProgram =
    "#include <cstdio>\n"
    "__device__ int one() { return 1; }\n" +
    kStart +
    "__global__ void kernel(int* p) {\n"
    "  int i = threadIdx.x;\n"
    "  p[i] = i;\n"
    "}\n" +
    kEnd +
    "int helper() {\n"
    "  return 1;\n"
    "}\n" +
    kStart +
    "void launch(int* p) {\n"
    "  kernel<<<1, 32>>>(p);\n"
    "}\n" +
    kEnd + "int main() { launch(nullptr); }\n";

std::string block(std::string const& search, std::string const& replace) {
  return "<<<<<<< SEARCH\n" + search + "=======\n" + replace + ">>>>>>> REPLACE\n";
}

std::string replaced(std::string text, std::string const& from, std::string const& to) {
  std::size_t const at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// The program after the edit. Fails the test when there is none, or when frozen bytes differ.
cuco::Edited applied(std::string const& source, std::string const& reply) {
  auto const result = cuco::apply_diff_patch(source, reply);
  if (!result) {
    ADD_FAILURE() << to_string(result.error().fault) << ": " << to_feedback(result.error()) << "\nreply:\n"
                  << reply;
    return {};
  }
  EXPECT_TRUE(cuco::check_frozen(source, result->code));
  return *result;
}

cuco::EditProblem refused(std::string const& source, std::string const& reply) {
  auto const result = cuco::apply_diff_patch(source, reply);
  if (result) {
    ADD_FAILURE() << "applied:\n" << result->code << "\nreply:\n" << reply;
    return {};
  }
  EXPECT_THAT(result.error().cause, Not(IsEmpty()));
  EXPECT_EQ(result.error().cause.find('\n'), std::string::npos) << result.error().cause;
  return result.error();
}

std::string const kChange = block("  p[i] = i;\n", "  p[i] = 2 * i;\n");
std::string const kChanged = replaced(kProgram, "p[i] = i", "p[i] = 2 * i");

TEST(DiffPatch, ReplacesWholeLines) {
  auto const edited = applied(kProgram, kChange);
  EXPECT_EQ(edited.code, kChanged);
  EXPECT_EQ(edited.edits, 1U);
  EXPECT_THAT(edited.notes, IsEmpty());
}

TEST(DiffPatch, SeveralEditsAreMadeOneAfterAnother) {
  auto const edited = applied(kProgram,
                              block("  p[i] = i;\n", "  p[i] = one();\n  p[i] += i;\n") + "then\n" +
                                  block("  p[i] += i;\n", "  p[i] += 3;\n") +
                                  block("  kernel<<<1, 32>>>(p);\n", "  kernel<<<2, 32>>>(p);\n"));
  EXPECT_EQ(edited.edits, 3U);
  EXPECT_EQ(
      edited.code,
      replaced(
          replaced(kProgram, "  p[i] = i;\n", "  p[i] = one();\n  p[i] += 3;\n"), "<<<1, 32", "<<<2, 32"));
}

TEST(DiffPatch, DeletesAndInserts) {
  EXPECT_EQ(applied(kProgram, block("  int i = threadIdx.x;\n", "")).code,
            replaced(kProgram, "  int i = threadIdx.x;\n", ""));
  EXPECT_EQ(applied(kProgram, block("  p[i] = i;\n", "  p[i] = i;\n  __syncthreads();\n")).code,
            replaced(kProgram, "  p[i] = i;\n", "  p[i] = i;\n  __syncthreads();\n"));
  // A deletion does not swallow the block after it.
  EXPECT_EQ(applied(kProgram, block("  int i = threadIdx.x;\n", "") + kChange).code,
            replaced(kChanged, "  int i = threadIdx.x;\n", ""));
}

TEST(DiffPatch, AnEmptySearchAppendsToTheOnlyBlock) {
  std::string const one = "int a;\n" + kStart + "int b;\n" + kEnd + "int c;\n";
  auto const edited = applied(one, block("", "int d;\n"));
  EXPECT_EQ(edited.code, "int a;\n" + kStart + "int b;\nint d;\n" + kEnd + "int c;\n");
  EXPECT_THAT(edited.notes, ElementsAre("the edit: SEARCH is empty; inserted at the end of the block"));
  EXPECT_EQ(applied(one, block("\n", "int d;\n")).code, edited.code);
  EXPECT_EQ(applied("int a;\n" + kStart + kEnd, block("", "int d;\n")).code,
            "int a;\n" + kStart + "int d;\n" + kEnd);
  // With two blocks there is no telling which.
  auto const problem = refused(kProgram, block("", "int d;\n"));
  EXPECT_EQ(problem.fault, EditFault::kAmbiguous);
  EXPECT_THAT(problem.advice, HasSubstr("lines 4-7 and lines 13-15"));
}

TEST(DiffPatch, EmptyEditsAndNoOpsAreDifferentFaults) {
  EXPECT_EQ(refused(kProgram, block("", "")).fault, EditFault::kNothing);
  EXPECT_EQ(refused(kProgram, block("\n", "\n")).fault, EditFault::kNothing);
  auto const same = refused(kProgram, block("  p[i] = i;\n", "  p[i] = i;\n"));
  EXPECT_EQ(same.fault, EditFault::kNoChange);
  EXPECT_THAT(same.cause, HasSubstr("byte for byte"));
  // There and back again.
  EXPECT_EQ(refused(kProgram, kChange + block("  p[i] = 2 * i;\n", "  p[i] = i;\n")).fault,
            EditFault::kNoChange);
  auto const layout = refused(kProgram, block("  p[i] = i;\n", "  // all of them\n  p[ i ] = i;\n"));
  EXPECT_EQ(layout.fault, EditFault::kNoChange);
  EXPECT_THAT(layout.cause, HasSubstr("comments and layout"));
}

TEST(DiffPatch, ANoOpBesideAnEditIsLeftOut) {
  auto const edited = applied(kProgram, block("not there\n", "not there\n") + kChange);
  EXPECT_EQ(edited.code, kChanged);
  EXPECT_EQ(edited.edits, 1U);
  EXPECT_THAT(edited.notes, ElementsAre("edit 1: left out, its REPLACE is its SEARCH"));
}

// ---- lenient reading
// ----------------------------------------------------------------------------------------

TEST(DiffPatch, ReadsAnythingAroundItsBlocks) {
  for (std::string const& reply : {"Here is it:\n\n" + kChange + "\nThis is faster.\n",
                                   "<NAME>x</NAME>\n<DIFF>\n" + kChange + "</DIFF>\n",
                                   "<DIFF>" + kChange + "</DIFF>",
                                   "<diff>\n" + kChange,
                                   "```diff\n" + kChange + "```\n",
                                   "```\n" + kChange + "```",
                                   "~~~~whatever\n" + kChange + "~~~~\n",
                                   "<DIFF>\n```cuda\n" + kChange + "```\n</DIFF>",
                                   "A title\n=======\n\n" + kChange,
                                   replaced(kChange, ">>>>>>> REPLACE\n", ">>>>>>> REPLACE"),
                                   replaced(kChange, ">>>>>>> REPLACE\n", ">>>>>>> REPLACE</DIFF>")})
    EXPECT_EQ(applied(kProgram, reply).code, kChanged) << reply;
}

TEST(DiffPatch, ReadsOtherFormsOfMarkerLines) {
  for (std::string const& reply :
       {std::string("<<<<<<< SEARCH  \n  p[i] = i;\n=======\t\n  p[i] = 2 * i;\n>>>>>>> REPLACE \n"),
        std::string("  <<<<<<< SEARCH\n  p[i] = i;\n  =======\n  p[i] = 2 * i;\n  >>>>>>> REPLACE\n"),
        std::string("<<<<<<< search:\n  p[i] = i;\n=======\n  p[i] = 2 * i;\n>>>>>>> Replace\n")}) {
    auto const edited = applied(kProgram, reply);
    EXPECT_EQ(edited.code, kChanged);
    EXPECT_THAT(edited.notes, IsEmpty()) << reply;
  }
  for (std::string const& reply :
       {std::string("<<<<< SEARCH\n  p[i] = i;\n=====\n  p[i] = 2 * i;\n>>>>> REPLACE\n"),
        std::string("<<<<<<< SEARCH\n  p[i] = i;\n========\n  p[i] = 2 * i;\n>>>>>>>>> REPLACE\n"),
        std::string("<<<<<<< SEARCH\n  p[i] = i;\n=======\n  p[i] = 2 * i;\n>>>>>>>\n"),
        std::string("<<<<<<< SEARCH\n```cuda\n  p[i] = i;\n```\n=======\n```\n  p[i] = 2 * i;\n```\n"
                    ">>>>>>> REPLACE\n")}) {
    auto const edited = applied(kProgram, reply);
    EXPECT_EQ(edited.code, kChanged);
    EXPECT_EQ(edited.notes.size(), 1U) << reply;
  }
}

TEST(DiffPatch, TakesTheEditsInTheElementWhereThereIsOne) {
  std::string const example = block("old code\n", "new code\n");
  auto const edited =
      applied(kProgram, "Edits look so:\n" + example + "Mine:\n<DIFF>\n" + kChange + "</DIFF>\n");
  EXPECT_EQ(edited.code, kChanged);
  EXPECT_THAT(edited.notes, ElementsAre("1 blocks outside of <DIFF> left out"));
  // Half an example before the element is no half of an edit.
  EXPECT_EQ(
      applied(kProgram, "They begin with\n<<<<<<< SEARCH\nand so on\n<DIFF>\n" + kChange + "</DIFF>\n").code,
      kChanged);
}

TEST(DiffPatch, HalfABlockAppliesNothing) {
  std::string const whole = kChange;
  for (auto const& [reply, cause] : std::vector<std::pair<std::string, std::string>>{
           {"<<<<<<< SEARCH\n  p[i] = i;\n", "ends before its ======="},
           {"<<<<<<< SEARCH\n  p[i] = i;\n=======\n  p[i] = 3;\n", "ends before its >>>>>>> REPLACE"},
           {"<<<<<<< SEARCH\n  p[i] = i;\n>>>>>>> REPLACE\n", "has no ======= line"},
           {"<<<<<<< SEARCH\n  p[i] = i;\n=======\n  p[i] = 3;\n" + whole, "another one begins in line 5"},
           {"<<<<<<< SEARCH\n  p[i] = i;\n" + whole, "another one begins in line 3"},
           {"<DIFF>\n<<<<<<< SEARCH\n  p[i] = i;\n=======\n  p[i] = 3;\n</DIFF>\n",
            "<DIFF> element ends inside it"},
           {"<<<<<<< SEARCH\n  p[i] = i;\n=======\n  p[i] = 3;\n=======\n>>>>>>> REPLACE\n",
            "has two ======= lines"},
           {"  p[i] = i;\n=======\n  p[i] = 3;\n>>>>>>> REPLACE\n", "has no <<<<<<< SEARCH before it"},
           {"<<<< SEARCH\n  p[i] = i;\n====\n  p[i] = 3;\n>>>> REPLACE\n", "have 4 characters in place of 7"},
           {"--- a/x.cu\n+++ b/x.cu\n@@ -5,3 +5,3 @@\n-  p[i] = i;\n+  p[i] = 3;\n", "a unified diff"}}) {
    auto const problem = refused(kProgram, reply);
    EXPECT_EQ(problem.fault, EditFault::kMalformed) << reply;
    EXPECT_THAT(problem.cause, HasSubstr(cause)) << reply;
    EXPECT_THAT(problem.advice, HasSubstr("<<<<<<< SEARCH")) << reply;
  }
  // A good block before a half one is not applied either.
  auto const problem = refused(kProgram, whole + "<<<<<<< SEARCH\n}\n");
  EXPECT_EQ(problem.fault, EditFault::kMalformed);
  EXPECT_THAT(problem.cause, HasSubstr("edit 2 is not finished"));
}

TEST(DiffPatch, NoEditIsNothing) {
  for (std::string const reply : {"",
                                  "I would not change anything.",
                                  "```cuda\nint x;\n```\n",
                                  "=======\n",
                                  "\n\n",
                                  "cout\n << SEARCH\n"})
    EXPECT_EQ(refused(kProgram, reply).fault, EditFault::kNothing) << reply;
}

TEST(DiffPatch, TooManyEditsAreRefused) {
  std::string reply;
  for (int i = 0; i < 1001; ++i) reply += kChange;
  EXPECT_EQ(refused(kProgram, reply).fault, EditFault::kMalformed);
}

TEST(DiffPatch, LongMarkersAreTakenLiterally) {
  // Code that itself has lines like markers.
  std::string const source = kStart + "/*\n=======\n>>>>>>> REPLACE\n*/\nint a = 1;\n" + kEnd;
  std::string const reply = std::string(12, '<') + " SEARCH\n=======\n>>>>>>> REPLACE\n*/\nint a = 1;\n" +
                            std::string(12, '=') + "\n=======\n*/\nint a = 2;\n" + std::string(12, '>') +
                            " REPLACE\n";
  EXPECT_EQ(applied(source, reply).code, kStart + "/*\n=======\n*/\nint a = 2;\n" + kEnd);
  // No other length ends them, and nothing is matched leniently.
  EXPECT_EQ(refused(source, replaced(reply, "============\n", "===========\n")).fault, EditFault::kMalformed);
  EXPECT_EQ(refused(source, replaced(reply, "int a = 1;\n", " int a = 1;\n")).fault, EditFault::kNotFound);
}

// ---- matching
// -----------------------------------------------------------------------------------------------

TEST(DiffPatch, MatchesWithoutBlanksAtTheEndsOfLines) {
  std::string const source =
      replaced(kProgram, "threadIdx.x;\n  p[i] = i;\n", "threadIdx.x;  \n  p[i] = i;\t\n");
  auto const edited = applied(
      source,
      block("  int i = threadIdx.x;\n  p[i] = i; \n}\n", "  int i = threadIdx.x;\n  p[i] = 2 * i;\n}\n"));
  EXPECT_THAT(edited.notes, ElementsAre("the edit: matched without blanks at the ends of lines"));
  // A line that the edit does not change keeps its blanks.
  EXPECT_EQ(edited.code, replaced(source, "p[i] = i;\t", "p[i] = 2 * i;"));
}

TEST(DiffPatch, MatchesWithoutIndentationAndIndentsAsTheProgramDoes) {
  std::string const note = "the edit: matched without indentation; its REPLACE is indented as the program is";
  // Too little.
  auto edited = applied(
      kProgram,
      block("int i = threadIdx.x;\np[i] = i;\n", "int i = threadIdx.x;\nif (i < 8) {\n  p[i] = i;\n}\n"));
  EXPECT_THAT(edited.notes, ElementsAre(note));
  EXPECT_EQ(edited.code, replaced(kProgram, "  p[i] = i;\n", "  if (i < 8) {\n    p[i] = i;\n  }\n"));
  // Too much; a line with less than all others goes as far to the left as there is room.
  edited = applied(kProgram,
                   block("      int i = threadIdx.x;\n      p[i] = i;\n",
                         "      int i = 7;\n    L:\n#pragma unroll\n        p[i] = 3;\n"));
  EXPECT_EQ(edited.code,
            replaced(kProgram,
                     "  int i = threadIdx.x;\n  p[i] = i;\n",
                     "  int i = 7;\nL:\n#pragma unroll\n    p[i] = 3;\n"));
  // Only the first line lost its own.
  edited = applied(
      kProgram, block("int i = threadIdx.x;\n  p[i] = i;\n", "int i = 5;\n  p[i] = 2 * i;\n    p[0] = 1;\n"));
  EXPECT_EQ(edited.code,
            replaced(kProgram,
                     "  int i = threadIdx.x;\n  p[i] = i;\n",
                     "  int i = 5;\n  p[i] = 2 * i;\n    p[0] = 1;\n"));
}

TEST(DiffPatch, KeepsTabs) {
  std::string const source = kStart + "void f() {\n\tif (x) {\n\t\ta();\n\t}\n}\n" + kEnd;
  auto edited =
      applied(source,
              block("    if (x) {\n        a();\n    }\n",
                    "    if (x) {\n        a();\n        for (;;) {\n            b();\n        }\n    }\n"));
  EXPECT_EQ(edited.code,
            kStart + "void f() {\n\tif (x) {\n\t\ta();\n\t\tfor (;;) {\n\t\t\tb();\n\t\t}\n\t}\n}\n" + kEnd);
  // The other way round.
  std::string const blanks = kStart + "void f() {\n  if (x) {\n    a();\n  }\n}\n" + kEnd;
  edited = applied(
      blanks, block("\tif (x) {\n\t\ta();\n\t}\n", "\tif (x) {\n\t\tif (y) {\n\t\t\ta();\n\t\t}\n\t}\n"));
  EXPECT_EQ(edited.code, kStart + "void f() {\n  if (x) {\n    if (y) {\n      a();\n    }\n  }\n}\n" + kEnd);
}

TEST(DiffPatch, MatchesWithoutBlankLinesAroundIt) {
  auto const edited = applied(kProgram, block("\n  p[i] = i;\n\n\n", "\n  p[i] = 2 * i;\n\n"));
  EXPECT_EQ(edited.code, kChanged);
  EXPECT_THAT(edited.notes, ElementsAre("the edit: matched without the blank lines around it"));
}

TEST(DiffPatch, PrefersTheStricterMatch) {
  // Without regard to indentation there would be two.
  std::string const source = kStart + "if (x) {\n    a();\n}\n  a();\n" + kEnd;
  EXPECT_EQ(applied(source, block("  a();\n", "  b();\n")).code,
            kStart + "if (x) {\n    a();\n}\n  b();\n" + kEnd);
  EXPECT_EQ(refused(source, block("a();\n", "b();\n")).fault, EditFault::kAmbiguous);
}

TEST(DiffPatch, AnOccurrenceInFrozenTextDoesNotCount) {
  std::string const source = "int a = 1;\n" + kStart + "int a = 1;\n" + kEnd + "int a = 1;\n";
  EXPECT_EQ(applied(source, block("int a = 1;\n", "int a = 2;\n")).code,
            "int a = 1;\n" + kStart + "int a = 2;\n" + kEnd + "int a = 1;\n");
  // Not even when only the frozen one is exact.
  std::string const indented = "int a = 1;\n" + kStart + "  int a = 1;\n" + kEnd;
  EXPECT_EQ(applied(indented, block("int a = 1;\n", "int a = 2;\n")).code,
            "int a = 1;\n" + kStart + "  int a = 2;\n" + kEnd);
}

TEST(DiffPatch, FrozenTextIsFrozen) {
  auto const problem = refused(kProgram, block("  return 1;\n", "  return 2;\n"));
  EXPECT_EQ(problem.fault, EditFault::kFrozen);
  EXPECT_THAT(problem.cause, HasSubstr("line 10"));
  EXPECT_THAT(problem.advice, HasSubstr("lines 4-7 and lines 13-15"));
  EXPECT_EQ(refused(kProgram, block("int main() { launch(nullptr); }\n", "int main() {}\n")).fault,
            EditFault::kFrozen);
  // Part of a line is no line.
  EXPECT_EQ(refused(kProgram, block("p[i]\n", "q[i]\n")).fault, EditFault::kNotFound);
}

TEST(DiffPatch, AmbiguityNamesTheLines) {
  std::string const source = kStart + "a();\nb();\na();\n" + kEnd + "x();\n" + kStart + "a();\n" + kEnd;
  auto const problem = refused(source, block("a();\n", "c();\n"));
  EXPECT_EQ(problem.fault, EditFault::kAmbiguous);
  EXPECT_THAT(problem.cause, HasSubstr("occurs 3 times in mutable text, at line 2, line 4 and line 8"));
  EXPECT_THAT(problem.advice, HasSubstr("repeat more of the lines"));
  // More context makes it unique.
  EXPECT_EQ(applied(source, block("b();\na();\n", "b();\nc();\n")).code,
            replaced(source, "b();\na();\n", "b();\nc();\n"));
  // Occurrences may overlap.
  EXPECT_EQ(refused(kStart + "a();\na();\na();\n" + kEnd, block("a();\na();\n", "c();\n")).fault,
            EditFault::kAmbiguous);
}

TEST(DiffPatch, NotFoundShowsTheNearestLines) {
  auto problem = refused(kProgram, block("  int i = threadIdx.x;\n  p[i] = j;\n", "  p[i] = 3;\n"));
  EXPECT_EQ(problem.fault, EditFault::kNotFound);
  EXPECT_THAT(problem.advice, HasSubstr("     5 |   int i = threadIdx.x;\n     6 |   p[i] = i;\n"));
  EXPECT_THAT(problem.advice, HasSubstr("line 6 is\n  p[i] = i;\nwhere SEARCH has\n  p[i] = j;\n"));
  EXPECT_THAT(problem.advice, HasSubstr("only these may be edited: lines 4-7 and lines 13-15"));
  // No line is the same, but one is like it.
  problem = refused(kProgram, block("  kernel<<<1, 64>>>(p, n);\n", "\n"));
  EXPECT_EQ(problem.fault, EditFault::kNotFound);
  EXPECT_THAT(problem.advice, HasSubstr("    14 |   kernel<<<1, 32>>>(p);\n"));
  // Frozen text is never held out as what could be meant.
  problem = refused(kProgram, block("int helper(int x) {\n", "\n"));
  EXPECT_THAT(problem.advice, Not(HasSubstr("helper()")));
  problem = refused(kProgram, block("qqqqqqqq wwwwwwww\n", "x\n"));
  EXPECT_THAT(problem.advice, HasSubstr("no line of the blocks is like it"));
}

TEST(DiffPatch, SaysWhenAnEarlierEditTookTheText) {
  auto const problem = refused(kProgram, kChange + block("  p[i] = i;\n", "  p[i] = 5;\n"));
  EXPECT_EQ(problem.fault, EditFault::kNotFound);
  EXPECT_THAT(problem.cause, HasSubstr("edit 2: its SEARCH text no longer occurs: an earlier edit"));
  EXPECT_THAT(problem.advice, HasSubstr("edit 1 |   p[i] = 2 * i;"));
}

TEST(DiffPatch, LineNumbersAreThoseOfTheProgram) {
  std::string const grows =
      block("  int i = threadIdx.x;\n", "  int i = 0;\n  i += 1;\n  i += 2;\n  i += 3;\n");
  auto const problem = refused(kProgram, grows + block("  kernel<<<1, 64>>>(p);\n", "\n"));
  EXPECT_THAT(problem.advice, HasSubstr("    14 |   kernel<<<1, 32>>>(p);\n"));
}

// ---- markers and frozen lines inside an edit
// ----------------------------------------------------------------

TEST(DiffPatch, UnchangedMarkerLinesAreContext) {
  EXPECT_EQ(applied(kProgram,
                    block(kStart + "__global__ void kernel(int* p) {\n",
                          kStart + "__global__ void kernel(int* p) {\n  int j;\n"))
                .code,
            replaced(kProgram, "kernel(int* p) {\n", "kernel(int* p) {\n  int j;\n"));
  EXPECT_EQ(applied(kProgram,
                    block("}\n" + kEnd + "int helper() {\n", "}\nint more;\n" + kEnd + "int helper() {\n"))
                .code,
            replaced(kProgram, "}\n" + kEnd + "int helper", "}\nint more;\n" + kEnd + "int helper"));
  // Right after a START, right before an END.
  EXPECT_EQ(applied("x;\n" + kStart + kEnd, block(kStart, kStart + "int j;\n")).code,
            "x;\n" + kStart + "int j;\n" + kEnd);
  EXPECT_EQ(applied("x;\n" + kStart + "y;\n" + kEnd, block(kEnd, "int j;\n" + kEnd)).code,
            "x;\n" + kStart + "y;\nint j;\n" + kEnd);
  // Frozen lines keep their bytes, also when the reply writes them with other blanks.
  std::string const source = "\tx;  \n  " + kStart + "y;\n" + kEnd;
  EXPECT_EQ(applied(source, block("x;\n" + kStart + "y;\n", "x;\n" + kStart + "z;\n")).code,
            "\tx;  \n  " + kStart + "z;\n" + kEnd);
}

TEST(DiffPatch, AnEditMaySpanBlocksWhenFrozenLinesStay) {
  std::string const middle =
      "}\n" + kEnd + "int helper() {\n  return 1;\n}\n" + kStart + "void launch(int* p) {\n";
  std::string const wanted =
      replaced(kProgram, middle, "int a;\n" + middle.substr(0, middle.size()) + "  int b;\n");
  EXPECT_EQ(applied(kProgram, block(middle, "int a;\n" + middle + "  int b;\n")).code, wanted);
  auto problem = refused(kProgram, block(middle, "int a;\n" + replaced(middle, "return 1", "return 2")));
  EXPECT_EQ(problem.fault, EditFault::kFrozen);
  EXPECT_THAT(problem.cause, HasSubstr("changes line 10, which is frozen"));
  problem = refused(kProgram, block(middle, "int a;\n" + replaced(middle, kStart, "")));
  EXPECT_EQ(problem.fault, EditFault::kMarkers);
}

TEST(DiffPatch, MarkersStayWhereTheyAre) {
  std::string const head = kStart + "__global__ void kernel(int* p) {\n";
  auto problem = refused(kProgram, block(head, "__global__ void kernel(int* p) {\n"));
  EXPECT_EQ(problem.fault, EditFault::kMarkers);
  EXPECT_THAT(problem.cause, HasSubstr("marker in line 3"));
  EXPECT_EQ(refused(kProgram, block(head, "__global__ void kernel(int* p) {\n" + kStart)).fault,
            EditFault::kMarkers);
  for (std::string const& replace : {kEnd,
                                     kStart,
                                     kEnd + kStart,
                                     "a;\n" + kEnd + "b;\n" + kStart + "c;\n",
                                     kStart + "  p[i] = 2;\n" + kEnd}) {
    problem = refused(kProgram, block("  p[i] = i;\n", replace));
    EXPECT_EQ(problem.fault, EditFault::kMarkers) << replace;
    EXPECT_THAT(problem.advice, HasSubstr("neither may be added"));
  }
  problem = refused(kProgram, kChange + block("  kernel<<<1, 32>>>(p);\n", kEnd + kStart));
  EXPECT_THAT(problem.cause, HasSubstr("edit 2: "));
  // Frozen text that is taken in must come out.
  problem = refused(kProgram, block(kEnd + "int helper() {\n", kEnd + "int other() {\n"));
  EXPECT_EQ(problem.fault, EditFault::kFrozen);
  EXPECT_THAT(problem.cause, HasSubstr("changes line 9"));
}

TEST(DiffPatch, MarkerWordsInCommentsAndStringsAreText) {
  std::string const decoys =
      "  char const* s = \"\\\n// EVOLVE-BLOCK-END\\\n\";\n  /*\n// EVOLVE-BLOCK-START\n*/\n  f(); // "
      "EVOLVE-BLOCK-END\n";
  std::string const wanted = replaced(kProgram, "  p[i] = i;\n", decoys);
  EXPECT_EQ(applied(kProgram, block("  p[i] = i;\n", decoys)).code, wanted);
  EXPECT_EQ(applied(wanted, block(decoys, "  p[i] = 7;\n")).code, replaced(kProgram, "p[i] = i", "p[i] = 7"));
  EXPECT_EQ(applied(wanted, block("// EVOLVE-BLOCK-START\n*/\n", "other words\n*/\n  g();\n")).code,
            replaced(wanted, "// EVOLVE-BLOCK-START\n*/\n", "other words\n*/\n  g();\n"));
}

TEST(DiffPatch, NothingMayReachOutOfABlock) {
  for (auto const& [replace, fault] : std::vector<std::pair<std::string, EditFault>>{
           {"/* open\n", EditFault::kMalformed},
           {"char const* s = \"open;\n", EditFault::kMalformed},
           {"char const* s = R\"(open\n", EditFault::kMalformed},
           {"int a; // \\\n", EditFault::kMalformed},
           {"#if 0\n", EditFault::kMalformed},
           {"#endif\n", EditFault::kMalformed},
           {"#else\n", EditFault::kMalformed},
           {std::string("int a\0b;\n", 9), EditFault::kLanguage}}) {
    // In the last line of the block, where a continuation takes in the END line.
    EXPECT_EQ(refused(kProgram, block("  kernel<<<1, 32>>>(p);\n}\n", replace)).fault, fault) << replace;
  }
  // A comment over two blocks would hide the frozen text between them; so would #if.
  EXPECT_EQ(
      refused(kProgram, block("  p[i] = i;\n", "/*\n") + block("  kernel<<<1, 32>>>(p);\n", "*/\n")).fault,
      EditFault::kMalformed);
  EXPECT_EQ(
      refused(kProgram, block("  p[i] = i;\n", "#if 0\n") + block("  kernel<<<1, 32>>>(p);\n", "#endif\n"))
          .fault,
      EditFault::kMalformed);
  EXPECT_THAT(refused(kProgram, kChange + block("  kernel<<<1, 32>>>(p);\n", "/*\n")).cause,
              HasSubstr("edit 2: "));
  // As many markers as before, but others: the frozen text between the blocks would be theirs.
  std::string const swap = "  p[i] = 2;\n" + kEnd + "int b;\n" + kStart + "/*\n";
  EXPECT_EQ(
      refused(kProgram, block("  p[i] = i;\n", swap) + block("  kernel<<<1, 32>>>(p);\n", "*/\n")).fault,
      EditFault::kMarkers);
  // Whole conditions are fine, and two edits may open and close one comment.
  EXPECT_EQ(
      applied(kProgram, block("  p[i] = i;\n", "#ifdef X\n  p[i] = 1;\n#else\n  p[i] = 2;\n#endif\n")).edits,
      1U);
  EXPECT_EQ(
      applied(kProgram, block("  int i = threadIdx.x;\n", "/*\n") + block("  p[i] = i;\n", "*/\n")).edits,
      2U);
}

TEST(DiffPatch, AProgramWithoutSoundMarkersCannotBeEdited) {
  for (std::string const& source : {std::string("int main() {}\n"),
                                    kStart + "int a;\n",
                                    kEnd,
                                    kStart + kStart + kEnd,
                                    std::string(),
                                    std::string(kStart + "/*\n" + kEnd),
                                    std::string(kStart + "a\0b\n" + kEnd)})
    EXPECT_EQ(refused(source, kChange).fault, EditFault::kMarkers) << source;
}

// ---- newlines
// -----------------------------------------------------------------------------------------------

std::string with_returns(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return out;
}

TEST(DiffPatch, NewLinesEndAsThoseOfTheBlock) {
  EXPECT_EQ(applied(with_returns(kProgram), kChange).code, with_returns(kChanged));
  EXPECT_EQ(applied(with_returns(kProgram), with_returns(kChange)).code, with_returns(kChanged));
  EXPECT_EQ(applied(kProgram, with_returns(kChange)).code, kChanged);
  EXPECT_THAT(applied(with_returns(kProgram), kChange).notes, IsEmpty());
  std::string const empty = with_returns("x;\n" + kStart + kEnd);
  EXPECT_EQ(applied(empty, block("", "y;\n")).code, with_returns("x;\n" + kStart + "y;\n" + kEnd));
}

TEST(DiffPatch, TheLastNewlineStaysAsItIs) {
  std::string const source = kProgram.substr(0, kProgram.size() - 1);
  EXPECT_EQ(applied(source, kChange).code, kChanged.substr(0, kChanged.size() - 1));
  std::string const ends = kStart + "int a;\n// EVOLVE-BLOCK-END";
  EXPECT_EQ(applied(ends, block("int a;\n", "int b;\n")).code, kStart + "int b;\n// EVOLVE-BLOCK-END");
  EXPECT_EQ(applied(ends, block("int a;\n// EVOLVE-BLOCK-END\n", "int b;\n// EVOLVE-BLOCK-END\n")).code,
            kStart + "int b;\n// EVOLVE-BLOCK-END");
}

TEST(DiffPatch, TrailingBlanksOfFrozenTextStay) {
  std::string const source = replaced(kProgram, "int helper() {\n", "int helper() {  \t\n");
  EXPECT_EQ(applied(source, kChange).code, replaced(kChanged, "int helper() {\n", "int helper() {  \t\n"));
}

// ---- hostile input
// ------------------------------------------------------------------------------------------

class Seconds {
 public:
  [[nodiscard]] double passed() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

TEST(DiffPatch, SurvivesAnyBytes) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(refused(kProgram, bytes).fault, EditFault::kNothing);
  auto const problem = refused(kProgram, block(bytes + "\n", "x\n"));
  EXPECT_EQ(problem.fault, EditFault::kNotFound);
  // Advice is for a request in JSON, so it is text.
  auto const invalid = refused(replaced(kProgram, "threadIdx.x", "\xFF\xFEthreadIdx.x"),
                               block("  int i = threadIdx.x;\n", "x\n"));
  EXPECT_THAT(invalid.advice, HasSubstr("int i = ?\?threadIdx.x;"));
  // Bytes that are no UTF-8 are kept where the program has them.
  std::string const latin = replaced(kProgram, "p[i] = i;", "p[i] = i;  // caf\xE9");
  EXPECT_EQ(applied(latin, block("  int i = threadIdx.x;\n", "  int i = 3;\n")).code,
            replaced(latin, "threadIdx.x", "3"));
}

TEST(DiffPatch, LargeInputsTakeLittleTime) {
  Seconds const time;
  std::string const long_line(2 << 20, '<');
  std::string const words = [] {
    std::string out;
    while (out.size() < (2U << 20U)) out += "/* a */ \"b\" ";
    return out;
  }();
  for (std::string const& line :
       {long_line, words, std::string(2 << 20, '='), std::string(2 << 20, ' '), std::string(2 << 20, '`')}) {
    (void)cuco::apply_diff_patch(kProgram, line);
    (void)cuco::apply_diff_patch(kProgram, block(line + "\n", "x\n"));
    (void)cuco::apply_diff_patch(kProgram, block("  p[i] = i;\n", line + "\n"));
    (void)cuco::apply_diff_patch(kStart + line + "\n" + kEnd, block("  p[i] = i;\n", line + "\n"));
  }
  EXPECT_LT(time.passed(), 120);
}

TEST(DiffPatch, ManyLinesTakeLittleTime) {
  Seconds const time;
  std::string same, all_different, search;
  for (int i = 0; i < 100000; ++i) {
    same += "}\n";
    all_different += "  int variable_" + std::to_string(i) + " = " + std::to_string(i * 7) + ";\n";
    if (i < 50000) search += "}\n";
  }
  EXPECT_EQ(refused(kStart + same + kEnd, block(search, "x\n")).fault, EditFault::kAmbiguous);
  EXPECT_EQ(refused(kStart + same + kEnd, block(search + "{\n", "x\n")).fault, EditFault::kNotFound);
  EXPECT_EQ(refused(kStart + all_different + kEnd, block("  int variable = 5;\n", "x\n")).fault,
            EditFault::kNotFound);
  EXPECT_EQ(refused(kStart + all_different + kEnd, block(same, "x\n")).fault, EditFault::kNotFound);
  std::string many;
  for (int i = 0; i < 1000; ++i) {
    std::string const line = "  int variable_" + std::to_string(i * 90) + " = ";
    many += block(line + std::to_string(i * 90 * 7) + ";\n", line + "1;\n" + line + "2;\n");
  }
  EXPECT_EQ(applied(kStart + all_different + kEnd, many).edits, 1000U);
  std::string broken;
  for (int i = 0; i < 100000; ++i) broken += "<<<<<<< SEARCH\n";
  EXPECT_EQ(refused(kProgram, broken).fault, EditFault::kMalformed);
  EXPECT_LT(time.passed(), 120);
}

// ---- writing
// ------------------------------------------------------------------------------------------------

std::string written(std::string const& from, std::string const& to) {
  auto const patch = cuco::write_diff_patch(from, to);
  if (!patch) {
    ADD_FAILURE() << to_line(patch.error());
    return {};
  }
  return *patch;
}

TEST(WriteDiffPatch, WritesTheStrictGrammar) {
  EXPECT_EQ(written(kProgram, kChanged),
            block("__global__ void kernel(int* p) {\n  int i = threadIdx.x;\n  p[i] = i;\n}\n",
                  "__global__ void kernel(int* p) {\n  int i = threadIdx.x;\n  p[i] = 2 * i;\n}\n"));
  EXPECT_EQ(written(kProgram, kProgram), "");
  EXPECT_THAT(applied(kProgram, written(kProgram, kChanged)).notes, IsEmpty());
}

TEST(WriteDiffPatch, RefusesOtherFrozenText) {
  auto const patch = cuco::write_diff_patch(kProgram, replaced(kProgram, "return 1", "return 2"));
  ASSERT_FALSE(patch);
  EXPECT_EQ(patch.error().code, cuco::ErrorCode::kInvalidArgument);
  EXPECT_FALSE(cuco::write_diff_patch(kEnd, kEnd));
}

TEST(WriteDiffPatch, TakesAsMuchContextAsItNeeds) {
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += i % 10 == 0 ? "f" + std::to_string(i) + "();\n" : "g();\n";
  std::string const from = "a;\n" + kStart + lines + kEnd + "b;\n" + kStart + lines + kEnd + "c;\n";
  // The 16th line of the second block: the same in the first block.
  std::size_t const second = from.find("b;\n");
  std::size_t at = from.find("f10();\n", second);
  std::string to = from;
  to.replace(at + 7 + 5 * 5, 5, "h();\n");
  std::string const patch = written(from, to);
  EXPECT_EQ(applied(from, patch).code, to);
  EXPECT_EQ(patch.find("<<<<<<< SEARCH"), patch.rfind("<<<<<<< SEARCH"));
  EXPECT_THAT(patch, HasSubstr("b;\n"));
}

TEST(WriteDiffPatch, FindsAFormForEveryText) {
  std::string const base = "x;\n" + kStart + "a;\n" + kEnd + "y;\n" + kStart + "a;\n" + kEnd;
  for (std::string const& text :
       {std::string(),
        std::string("a;\na;\n"),
        std::string("\n\n\n"),
        std::string("/*\n=======\n*/\n"),
        std::string("/*\n<<<<<<< SEARCH\n==========\n>>>>>>>>>>>>>>> REPLACE\n*/\n"),
        std::string("/*\n<DIFF>\n</DIFF>\n*/\n"),
        std::string("/*\n```\n*/b;\n/*\n```\n*/\n"),
        std::string("b;\r\nc;\r\n"),
        std::string("b;\r\r\n"),
        std::string("b;  \n"),
        std::string("/*\n// EVOLVE-BLOCK-END\ny;\n// EVOLVE-BLOCK-START\n*/\n")}) {
    for (bool const second : {false, true}) {
      std::string const to = second
                                 ? "x;\n" + kStart + "a;\n" + kEnd + "y;\n" + kStart + text + "z;\n" + kEnd
                                 : "x;\n" + kStart + text + "z;\n" + kEnd + "y;\n" + kStart + "a;\n" + kEnd;
      EXPECT_EQ(applied(base, written(base, to)).code, to);
      EXPECT_EQ(applied(to, written(to, base)).code, base);
    }
  }
  // Literal markers do not make an edit any larger.
  std::string const local =
      written(kProgram, replaced(kProgram, "  p[i] = i;\n", "/*\n=======\n*/ p[i] = 1;\n"));
  EXPECT_TRUE(local.starts_with("<<<<<<<<<< SEARCH\n__global__")) << local;
  EXPECT_THAT(local, Not(HasSubstr("helper")));
  // The last line ends in a lone carriage return.
  std::string const from = kStart + "a;\n" + kEnd + kStart + kEnd + "x;\r";
  std::string const to = kStart + "a;\n" + kEnd + kStart + "a;\n" + kEnd + "x;\r";
  EXPECT_EQ(applied(from, written(from, to)).code, to);
}

TEST(WriteDiffPatch, LargeChangesTakeLittleTime) {
  Seconds const time;
  std::string from, to;
  for (int i = 0; i < 20000; ++i) {
    from += "  int variable_" + std::to_string(i) + ";\n";
    to += "  int variable_" + std::to_string(i % 3 == 0 ? i : -i) + ";\n";
  }
  from = kStart + from + kEnd;
  to = kStart + to + kEnd;
  EXPECT_EQ(applied(from, written(from, to)).code, to);
  EXPECT_LT(time.passed(), 120);
}

}  // namespace
