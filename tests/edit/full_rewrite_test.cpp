// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/edit/full_rewrite.hpp"

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
std::string const kHead =
    "// A program.\n"
    "#include <cstdio>\n"
    "#include <cuda_runtime.h>\n"
    "\n"
    "__device__ int one() { return 1; }\n"
    "// ---- the kernel ----\n";
std::string const kTail =
    "// ---- the host ----\n"
    "int main(int argc, char** argv) {\n"
    "  launch(nullptr);\n"
    "  return 0;\n"
    "}\n";
std::string const kOld =
    "__global__ void kernel(int* p) {\n  p[0] = 1;\n}\nvoid launch(int* p) { kernel<<<1, 1>>>(p); }\n";
std::string const kNew =
    "__global__ void kernel(int* p) {\n  p[0] = one();\n}\nvoid launch(int* p) { kernel<<<1, 1>>>(p); }\n";
std::string const kOne = kHead + kStart + kOld + kEnd + kTail;
std::string const kOneNew = kHead + kStart + kNew + kEnd + kTail;
std::string const kTwo =
    "int a;\n" + kStart + "int b = 1;\n" + kEnd + "int c;\n" + kStart + "int d = 1;\n" + kEnd + "int e;\n";

std::string fence(std::string const& code) {
  return "Here it is.\n\n```cuda\n" + code + "```\n";
}

cuco::Edited applied(std::string const& source, std::string const& reply) {
  auto const result = cuco::apply_full_rewrite(source, reply);
  if (!result) {
    ADD_FAILURE() << to_string(result.error().fault) << ": " << to_feedback(result.error()) << "\nreply:\n"
                  << reply;
    return {};
  }
  EXPECT_TRUE(cuco::check_frozen(source, result->code));
  return *result;
}

cuco::EditProblem refused(std::string const& source, std::string const& reply) {
  auto const result = cuco::apply_full_rewrite(source, reply);
  if (result) {
    ADD_FAILURE() << "applied:\n" << result->code << "\nreply:\n" << reply;
    return {};
  }
  EXPECT_THAT(result.error().cause, Not(IsEmpty()));
  EXPECT_EQ(result.error().cause.find('\n'), std::string::npos) << result.error().cause;
  return result.error();
}

TEST(FullRewrite, TakesTheWholeProgram) {
  auto const edited = applied(kOne, fence(kOneNew));
  EXPECT_EQ(edited.code, kOneNew);
  EXPECT_EQ(edited.edits, 1U);
  EXPECT_THAT(edited.notes, IsEmpty());
  std::string const two =
      "int a;\n" + kStart + "int b = 2;\n" + kEnd + "int c;\n" + kStart + "int d = 1;\n" + kEnd + "int e;\n";
  EXPECT_EQ(applied(kTwo, fence(two)).code, two);
  EXPECT_EQ(applied(kTwo, fence(two)).edits, 1U);
  EXPECT_EQ(applied(kTwo, two).code, two);
}

TEST(FullRewrite, TakesTheBlocksAlone) {
  auto const edited = applied(kTwo, fence(kStart + "int b = 2;\n" + kEnd + kStart + "int d = 2;\n" + kEnd));
  EXPECT_EQ(
      edited.code,
      "int a;\n" + kStart + "int b = 2;\n" + kEnd + "int c;\n" + kStart + "int d = 2;\n" + kEnd + "int e;\n");
  EXPECT_EQ(edited.edits, 2U);
  EXPECT_THAT(edited.notes, IsEmpty());
  EXPECT_EQ(applied(kOne, fence(kStart + kNew + kEnd)).code, kOneNew);
}

TEST(FullRewrite, TakesTheTextOfTheOnlyBlock) {
  EXPECT_EQ(applied(kOne, fence(kNew)).code, kOneNew);
  EXPECT_EQ(applied(kOne, kNew).code, kOneNew);
  // Without its last newline.
  EXPECT_EQ(applied(kOne, "<CODE>" + kNew.substr(0, kNew.size() - 1) + "</CODE>").code, kOneNew);
}

TEST(FullRewrite, FrozenTextIsTheProgramsAndTheModelIsTold) {
  std::string changed = kHead + kStart + kNew + kEnd + kTail;
  changed.replace(changed.find("return 0"), 8, "return 1");
  auto edited = applied(kOne, fence(changed));
  EXPECT_EQ(edited.code, kOneNew);
  EXPECT_THAT(edited.notes,
              ElementsAre("frozen text is the program's; the reply's differs from line 16 of its code on"));
  // Layout and comments are no difference worth a note.
  edited =
      applied(kOne,
              fence("#include <cstdio>\n#include  <cuda_runtime.h>\n__device__ int one()\n{ return 1; }\n" +
                    kStart + kNew + kEnd + kTail));
  EXPECT_EQ(edited.code, kOneNew);
  EXPECT_THAT(edited.notes, IsEmpty());
}

TEST(FullRewrite, RecognisesFrozenTextWithoutMarkerLines) {
  std::string const note = "the code has no marker lines; frozen text around the block was recognised";
  auto edited = applied(kOne, fence(kHead + kNew + kTail));
  EXPECT_EQ(edited.code, kOneNew);
  EXPECT_THAT(edited.notes, ElementsAre(note));
  // With another layout, and without its comments.
  edited = applied(
      kOne,
      fence("#include <cstdio>\n#include <cuda_runtime.h>\n__device__ int one() {\n  return 1;\n}\n\n" +
            kNew + "int main(int argc, char **argv)\n{\n    launch(nullptr);\n    return 0;\n}\n"));
  EXPECT_EQ(edited.code, kHead + kStart + "\n" + kNew + kEnd + kTail);
  EXPECT_THAT(edited.notes, ElementsAre(note));
  // One side of it.
  EXPECT_EQ(applied(kOne, fence(kNew + kTail)).code, kOneNew);
  EXPECT_EQ(applied(kOne, fence(kHead + kNew)).code, kOneNew);
  // A rewrite of a rewrite does not pile up the comments next to the block.
  EXPECT_EQ(applied(kOneNew, fence(kHead + kOld + kTail)).code, kOne);
}

TEST(FullRewrite, LeavesOutIncludesThatTheProgramHas) {
  auto const edited =
      applied(kOne, fence("#include <cuda_runtime.h>\n#include <cstdio>\n#include <vector>\n" + kNew));
  EXPECT_EQ(edited.code, kHead + kStart + "#include <vector>\n" + kNew + kEnd + kTail);
  EXPECT_THAT(edited.notes, ElementsAre("2 #include lines that the program has left out"));
}

TEST(FullRewrite, AClosingBraceOfTheBlockIsNotTakenForFrozenText) {
  std::string const source = "namespace x {\n" + kStart + "void f() {\n  a();\n}\n" + kEnd + "}\n";
  EXPECT_EQ(applied(source, fence("void f() {\n  b();\n}\n")).code,
            "namespace x {\n" + kStart + "void f() {\n  b();\n}\n" + kEnd + "}\n");
  EXPECT_EQ(applied(source, fence("namespace x {\nvoid f() {\n  b();\n}\n}\n")).code,
            "namespace x {\n" + kStart + "void f() {\n  b();\n}\n" + kEnd + "}\n");
}

TEST(FullRewrite, MainWithoutMarkerLinesIsAmbiguous) {
  // Frozen text was changed, so it cannot be told from the block.
  auto const problem = refused(kOne, fence("#include <cstdio>\n" + kNew + "int main() {\n  launch(0);\n}\n"));
  EXPECT_EQ(problem.fault, EditFault::kAmbiguous);
  EXPECT_THAT(problem.advice, HasSubstr("// EVOLVE-BLOCK-START"));
  // Where the block has main itself, there is nothing to tell apart.
  std::string const source = "int a;\n" + kStart + "int main() { return 1; }\n" + kEnd;
  EXPECT_EQ(applied(source, fence("int main() { return 2; }\n")).code,
            "int a;\n" + kStart + "int main() { return 2; }\n" + kEnd);
}

TEST(FullRewrite, OneMarkerIsEnoughWhereFrozenTextShowsTheOther) {
  auto edited = applied(kOne, fence(kStart + kNew + kTail));
  EXPECT_EQ(edited.code, kOneNew);
  EXPECT_THAT(edited.notes, ElementsAre(HasSubstr("no END marker")));
  edited = applied(kOne, fence(kHead + kNew + kEnd + kTail));
  EXPECT_EQ(edited.code, kOneNew);
  EXPECT_THAT(edited.notes, ElementsAre(HasSubstr("no START marker")));
  // The reply breaks off inside the block.
  EXPECT_EQ(refused(kOne, fence(kHead + kStart + kNew)).fault, EditFault::kMarkers);
  EXPECT_EQ(refused(kTwo, fence("int a;\n" + kStart + "int b = 3;\nint c;\n")).fault, EditFault::kMarkers);
}

TEST(FullRewrite, WrongMarkersAreRefused) {
  for (std::string const& code : {kStart + "int b = 2;\n" + kEnd,
                                  kTwo + kStart + "int f;\n" + kEnd,
                                  "int b = 2;\nint d = 2;\n" + std::string(),
                                  kStart + "int b;\n" + kStart + "int d;\n" + kEnd + kEnd,
                                  kEnd + "int b;\n" + kStart,
                                  kStart + "int b;\n" + kEnd + kStart + "int d;\n",
                                  kStart + kStart + kEnd}) {
    auto const problem = refused(kTwo, fence(code));
    EXPECT_EQ(problem.fault, EditFault::kMarkers) << code;
    EXPECT_THAT(problem.advice, HasSubstr("each of its 2 EVOLVE blocks")) << code;
  }
  EXPECT_THAT(refused(kTwo, fence(kStart + "int b = 2;\n" + kEnd)).cause,
              HasSubstr("the program has 2 EVOLVE blocks, the reply's code has 1"));
  EXPECT_EQ(refused(kOne, fence(kStart + kNew + kEnd + kStart + kNew + kEnd)).fault, EditFault::kMarkers);
}

TEST(FullRewrite, MarkerWordsInCommentsAndStringsAreText) {
  std::string const decoys =
      kNew + "/*\n" + kStart + "*/\nchar const* s = \"// EVOLVE-BLOCK-END\"; // EVOLVE-BLOCK-END\n";
  EXPECT_EQ(applied(kOne, fence(kHead + kStart + decoys + kEnd + kTail)).code,
            kHead + kStart + decoys + kEnd + kTail);
  EXPECT_EQ(applied(kOne, fence(decoys)).code, kHead + kStart + decoys + kEnd + kTail);
}

TEST(FullRewrite, NothingMayReachOutOfABlock) {
  EXPECT_EQ(refused(kOne, fence(kNew + "/* open\n")).fault, EditFault::kMalformed);
  EXPECT_EQ(refused(kOne, fence(kStart + kNew + "#if 0\n" + kEnd)).fault, EditFault::kMalformed);
  EXPECT_EQ(refused(kOne, fence(kNew + "#endif\n")).fault, EditFault::kMalformed);
  EXPECT_EQ(refused(kOne, fence(kNew + "int a; // \\\n")).fault, EditFault::kMalformed);
  EXPECT_EQ(refused(kOne, fence(kNew + "char const* s = \"open;\n")).fault, EditFault::kMalformed);
  EXPECT_EQ(
      refused(kTwo, fence(kStart + "int b;\n#if 1\n" + kEnd + kStart + "int d;\n#endif\n" + kEnd)).fault,
      EditFault::kMalformed);
  EXPECT_EQ(refused(kOne, fence(kNew + std::string("int a\0;\n", 8))).fault, EditFault::kLanguage);
}

TEST(FullRewrite, CodeThatWasLeftOutIsNotDeleted) {
  auto const problem = refused(kTwo,
                               fence("int a;\n" + kStart + "int b = 2;\n" + kEnd + "int c;\n" + kStart +
                                     "// (unchanged)\n" + kEnd + "int e;\n"));
  EXPECT_EQ(problem.fault, EditFault::kNothing);
  EXPECT_THAT(problem.cause, HasSubstr("block 2"));
  EXPECT_EQ(refused(kOne, fence(kHead + kTail)).fault, EditFault::kNothing);
  // A block that is empty may stay so.
  std::string const source = "int a;\n" + kStart + kEnd + kStart + "int b;\n" + kEnd;
  EXPECT_EQ(applied(source, fence("int a;\n" + kStart + kEnd + kStart + "int c;\n" + kEnd)).code,
            "int a;\n" + kStart + kEnd + kStart + "int c;\n" + kEnd);
}

TEST(FullRewrite, RepliesWithoutARewrite) {
  EXPECT_EQ(refused(kOne, "").fault, EditFault::kNothing);
  EXPECT_EQ(refused(kOne, "The program is fine as it is.").fault, EditFault::kNothing);
  EXPECT_EQ(refused(kOne, "```cuda\n```").fault, EditFault::kNothing);
  EXPECT_EQ(refused(kOne, "```cuda\n" + kOneNew).fault, EditFault::kMalformed);
  EXPECT_EQ(refused(kOne, fence("import torch\ndef f(x):\n    return x\n")).fault, EditFault::kLanguage);
  EXPECT_EQ(refused(kOne, "<<<<<<< SEARCH\n  p[0] = 1;\n=======\n  p[0] = 2;\n>>>>>>> REPLACE\n").fault,
            EditFault::kLanguage);
  EXPECT_EQ(refused(kOne, fence("@@ -1,3 +1,3 @@\n-  p[0] = 1;\n+  p[0] = 2;\n")).fault,
            EditFault::kLanguage);
  EXPECT_EQ(refused(kOne, fence(kOne)).fault, EditFault::kNoChange);
  EXPECT_EQ(refused(kOne, fence(kHead + kStart + "// faster\n" + kOld + kEnd + kTail)).fault,
            EditFault::kNoChange);
  EXPECT_EQ(refused("int main() {}\n", fence(kNew)).fault, EditFault::kMarkers);
}

TEST(FullRewrite, AmongSeveralFencesTheOneWithMarkersIsMeant) {
  std::string const sketch =
      "__global__ void sketch(int* p) {\n  p[0] = one();\n  p[1] = one();\n  p[2] = one();\n}\n";
  auto const edited = applied(kOne, fence(sketch) + fence(kStart + kNew + kEnd));
  EXPECT_EQ(edited.code, kOneNew);
  EXPECT_THAT(edited.notes, ElementsAre("one of 2 code fences taken"));
  EXPECT_EQ(refused(kOne, fence(sketch) + fence(kNew)).fault, EditFault::kAmbiguous);
}

TEST(FullRewrite, FenceLabelsAndNestingDoNotMatter) {
  for (std::string const label : {"cuda", "cpp", "c++", "cu", "", "text", "CUDA {.x}"}) {
    EXPECT_EQ(applied(kOne, "```" + label + "\n" + kOneNew + "```\n").code, kOneNew) << label;
    EXPECT_EQ(applied(kOne, "~~~~" + label + "\n" + kOneNew + "~~~~\n").code, kOneNew) << label;
    EXPECT_EQ(applied(kOne, "```markdown\n```" + label + "x\n" + kOneNew + "```\n```\n").code, kOneNew)
        << label;
  }
  std::string const doc = "/* usage:\n```\nlaunch(p);\n```\n*/\n" + kNew;
  EXPECT_EQ(applied(kOne, fence(kHead + kStart + doc + kEnd + kTail)).code,
            kHead + kStart + doc + kEnd + kTail);
}

TEST(FullRewrite, NewLinesEndAsThoseOfTheBlock) {
  auto with_returns = [](std::string_view text) {
    std::string out;
    for (char c : text) out += c == '\n' ? std::string("\r\n") : std::string(1, c);
    return out;
  };
  EXPECT_EQ(applied(with_returns(kOne), fence(kOneNew)).code, with_returns(kOneNew));
  EXPECT_EQ(applied(with_returns(kOne), fence(kNew)).code, with_returns(kOneNew));
  EXPECT_EQ(applied(with_returns(kOne), with_returns(fence(kOneNew))).code, with_returns(kOneNew));
  EXPECT_EQ(applied(kOne, with_returns(fence(kNew))).code, kOneNew);
  // The last line of the file has no newline, and keeps none.
  std::string const source = kOne.substr(0, kOne.size() - 1);
  EXPECT_EQ(applied(source, fence(kOneNew)).code, kOneNew.substr(0, kOneNew.size() - 1));
}

TEST(FullRewrite, LargeInputsTakeLittleTime) {
  auto const start = std::chrono::steady_clock::now();
  auto repeat = [](std::string const& unit) {
    std::string out;
    while (out.size() < (64U << 10U)) out += unit;
    return out;
  };
  std::string const big = kHead + kStart + repeat("int x = 1;\n") + kEnd + kTail;
  for (std::string const unit : {"int a; ",
                                 "// EVOLVE-BLOCK-START\n",
                                 "#include <cstdio>\n",
                                 "#if 1\n",
                                 "// ---- the kernel ----\n",
                                 "}\n",
                                 "main(",
                                 "/* */",
                                 "\"",
                                 "'",
                                 "R\"(",
                                 "\\\n",
                                 "{",
                                 "int a;\n/*\n```\n*/\n"}) {
    std::string const text = repeat(unit);
    (void)cuco::apply_full_rewrite(kOne, fence(text + "\n"));
    (void)cuco::apply_full_rewrite(kOne, fence(kHead + text + "\n" + kTail));
    (void)cuco::apply_full_rewrite(big, fence(kHead + kStart + text + "\n" + kEnd + kTail));
    (void)cuco::apply_full_rewrite(kHead + text + "\n" + kStart + kOld + kEnd + text + "\n",
                                   fence(text + "\n" + text + "\n"));
  }
  for (char const c : {'x', ' ', '/'}) {
    std::string const line(2U << 20U, c);
    (void)cuco::apply_full_rewrite(kOne, fence(kHead + kStart + "int a;\n" + line + "\n" + kEnd + kTail));
  }
  std::string many;
  for (int i = 0; i < 5000; ++i)
    many += kStart + "#ifdef X\nint a" + std::to_string(i) + ";\n#endif\n" + kEnd;
  EXPECT_EQ(refused(many, fence(many)).fault, EditFault::kNoChange);
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 120);
}

}  // namespace
