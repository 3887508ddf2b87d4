// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/edit/reply_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace {

using cuco::EditFault;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// "label|text", with "…" behind it where the fence is open.
std::vector<std::string> fences(std::string const& reply) {
  std::vector<std::string> out;
  for (cuco::CodeFence const& f : cuco::find_code_fences(reply))
    out.push_back(f.label + "|" + std::string(f.text) + (f.closed ? "" : "..."));
  return out;
}

TEST(CodeFences, AreTheLinesBetweenTwoFenceLines) {
  EXPECT_THAT(fences("text\n```cuda\na\nb\n```\nmore\n~~~\nc\n~~~"), ElementsAre("cuda|a\nb\n", "|c\n"));
  EXPECT_THAT(fences("```cpp\r\na\r\n```\r\n"), ElementsAre("cpp|a\r\n"));
  EXPECT_THAT(fences("  ```` C++ {.numberLines}\na\n```\nb\n`````  \n"), ElementsAre("c++|a\n```\nb\n"));
  EXPECT_THAT(fences("```cuda:main.cu\na\n```\n```{.cu}\nb\n```\n"), ElementsAre("cuda|a\n", "cu|b\n"));
  EXPECT_THAT(fences("<CODE>```cuda\na\n```</CODE>\n"), ElementsAre("cuda|a\n"));
  EXPECT_THAT(fences(""), IsEmpty());
  EXPECT_THAT(fences("no `code` and ```code``` and ``\n"), IsEmpty());
  EXPECT_THAT(fences("```\n```\n"), ElementsAre("|"));
}

TEST(CodeFences, MayBeOpen) {
  EXPECT_THAT(fences("```cuda\na\n"), ElementsAre("cuda|a\n..."));
  EXPECT_THAT(fences("```cuda\na\n```\n```"), ElementsAre("cuda|a\n", "|..."));
  // Another character or fewer of them do not close it.
  EXPECT_THAT(fences("````cuda\na\n```\n~~~~\n"), ElementsAre("cuda|a\n```\n~~~~\n..."));
}

TEST(CodeFences, NestAlsoWithEqualLength) {
  EXPECT_THAT(fences("````markdown\n```cuda\na\n```\n````\n"), ElementsAre("markdown|```cuda\na\n```\n"));
  EXPECT_THAT(fences("```markdown\n```cuda\na\n```\n```\nb"), ElementsAre("markdown|```cuda\na\n```\n"));
  // Text behind the fence that is no label.
  EXPECT_THAT(fences("```cuda\na\n``` and that is all\nb"), ElementsAre("cuda|a\n"));
}

TEST(CodeFences, LinesInCodeAreNoFences) {
  EXPECT_THAT(fences("```cuda\n// ```cpp\n * ```\nf(\"```\");\n```\n"),
              ElementsAre("cuda|// ```cpp\n * ```\nf(\"```\");\n"));
}

std::string const kCode = "#include <cstdio>\n__global__ void f() {\n  int a = 1;\n}\n";

std::string extracted(std::string const& reply) {
  auto const code = cuco::extract_code(reply);
  return code ? *code : std::string(to_string(code.error().fault)) + ": " + code.error().cause;
}

EditFault fault(std::string const& reply) {
  auto const code = cuco::extract_code(reply);
  if (code) {
    ADD_FAILURE() << "code:\n" << *code;
    return EditFault::kNoChange;
  }
  EXPECT_THAT(code.error().cause, Not(IsEmpty()));
  EXPECT_THAT(code.error().advice, Not(IsEmpty()));
  return code.error().fault;
}

TEST(ExtractCode, TakesTheOnlyFence) {
  for (std::string const label :
       {"cuda", "CUDA", "cpp", "c++", "", "cu", "c", "text", "python", "whatever", "cuda title=\"main.cu\""})
    EXPECT_EQ(extracted("Here it is.\n\n```" + label + "\n" + kCode + "```\n\nDone.\n"), kCode) << label;
  EXPECT_EQ(extracted("~~~cuda\n" + kCode + "~~~\n"), kCode);
  EXPECT_EQ(extracted("<NAME>a</NAME>\n<CODE>\n```cuda\n" + kCode + "```\n</CODE>\n"), kCode);
  EXPECT_EQ(extracted("<CODE>\n" + kCode + "</CODE>\n"), kCode);
  EXPECT_EQ(extracted("<CODE>\n```cuda\n" + kCode + "</CODE>\n"), kCode);
  EXPECT_EQ(extracted("````md\nHere:\n```cuda\n" + kCode + "```\n````\n"), kCode);
  EXPECT_EQ(extracted("```markdown\nHere:\n```cuda\n" + kCode + "```\n```\n"), kCode);
  // A stray fence line before it.
  EXPECT_EQ(extracted("```\n```cuda\n" + kCode + "```\n"), kCode);
}

TEST(ExtractCode, TakesCodeWithoutAFence) {
  EXPECT_EQ(extracted(kCode), kCode);
  EXPECT_EQ(extracted("<NAME>f</NAME>\n<DESCRIPTION>\nFaster.\n</DESCRIPTION>\n" + kCode), kCode);
  EXPECT_EQ(extracted("\n\n  int a;\n  int b;\n"), "  int a;\n  int b;\n");
}

TEST(ExtractCode, TellsCodeFromOtherFences) {
  std::string const shell = "```bash\nnvcc -o x x.cu\n./x\n```\n";
  std::string const output = "```\nTime: 3 ms\nVerification: PASS\n```\n";
  std::string const python = "```python\nimport numpy as np\ndef f(x):\n    return x\n```\n";
  EXPECT_EQ(extracted(shell + "```cuda\n" + kCode + "```\n" + output + python), kCode);
  EXPECT_EQ(fault(shell), EditFault::kLanguage);
  EXPECT_EQ(fault(output), EditFault::kLanguage);
  EXPECT_THAT(extracted(python), HasSubstr("language: the reply's code is Python"));
  // What it is counts, not what it is called.
  EXPECT_THAT(extracted("```cuda\nimport torch\ndef f(x):\n    return x + 1\n\nprint(f(1))\n```\n"),
              HasSubstr("Python"));
  EXPECT_THAT(extracted("```cuda\n{\n  \"name\": \"x\",\n  \"value\": 3\n}\n```\n"), HasSubstr("JSON"));
  EXPECT_THAT(extracted("```\nuse std::io;\nfn main() {\n    let mut x = 1;\n    x += 1;\n}\n```\n"),
              HasSubstr("Rust"));
  EXPECT_THAT(extracted("```cuda\n<<<<<<< SEARCH\nint a;\n=======\nint b;\n>>>>>>> REPLACE\n```\n"),
              HasSubstr("a diff"));
  EXPECT_THAT(extracted("```diff\n--- a/x.cu\n+++ b/x.cu\n@@ -1,2 +1,2 @@\n-int a;\n+int b;\n```\n"),
              HasSubstr("a diff"));
  EXPECT_THAT(extracted("<<<<<<< SEARCH\nint a;\n=======\nint b;\n>>>>>>> REPLACE\n"),
              HasSubstr("language: the reply is a diff"));
}

TEST(ExtractCode, TablesAndLongCallsAreCode) {
  std::string table = "__constant__ int table[] = {\n";
  for (int i = 0; i < 200; ++i) table += "  1, 2, 3, 4,\n";
  table += "};\n";
  EXPECT_EQ(extracted("```\n" + table + "```\n"), table);
  std::string const call = "launch(\n  a,\n  b,\n  c(1),\n  d(2)\n);\n";
  EXPECT_EQ(extracted("```\n" + call + "```\n"), call);
}

TEST(ExtractCode, SaysWhatIsMissing) {
  EXPECT_EQ(fault(""), EditFault::kNothing);
  EXPECT_EQ(fault("I cannot do that; the program is optimal.\nThere is nothing to gain."),
            EditFault::kNothing);
  EXPECT_EQ(fault("```cuda\n```\n"), EditFault::kNothing);
  EXPECT_EQ(fault("```cuda\n\n  \n```\n"), EditFault::kNothing);
  EXPECT_EQ(fault("<CODE>\n</CODE>"), EditFault::kNothing);
  EXPECT_EQ(fault("Here is the code:\n\nSorry, it got lost: I ran out of time;\n"), EditFault::kNothing);
}

TEST(ExtractCode, AnOpenFenceIsMalformed) {
  EXPECT_EQ(fault("```cuda\n" + kCode), EditFault::kMalformed);
  // Also when something complete stands before it: the last word is the one that counts, and it is cut off.
  EXPECT_EQ(fault("```cuda\n" + kCode + "```\nBetter:\n```cuda\n" + kCode + "int b = 2;\n"),
            EditFault::kMalformed);
  // A stray fence line at the end is none.
  EXPECT_EQ(extracted("```cuda\n" + kCode + "```\n```\n"), kCode);
  EXPECT_EQ(extracted("```cuda\n" + kCode + "```\n```\nThat is all there is to it.\n"), kCode);
}

TEST(ExtractCode, TwoFencesMayBeAmbiguous) {
  std::string const other = "#include <cstdio>\n__global__ void g() {\n  int b = 2;\n}\n";
  EXPECT_EQ(fault("```cuda\n" + kCode + "```\nor\n```cuda\n" + other + "```\n"), EditFault::kAmbiguous);
  // The same code twice, or a sketch and the program.
  EXPECT_EQ(extracted("```cuda\n" + kCode + "```\nagain\n```cpp\n" + kCode + "```\n"), kCode);
  EXPECT_EQ(extracted("```cuda\nint a = 1;\n```\nin\n```cuda\n" + kCode + "```\n"), kCode);
  EXPECT_EQ(extracted("```cuda\n" + other + "```\nthen\n<CODE>\n```cuda\n" + kCode + "```\n</CODE>\n"),
            kCode);
}

TEST(ExtractCode, FenceLinesInCommentsAreCode) {
  std::string const code = "/* usage\n```\nf<<<1, 1>>>();\n```\n*/\n" + kCode;
  EXPECT_EQ(extracted("```cuda\n" + code + "```\n"), code);
  EXPECT_EQ(extracted("```cuda\n" + code + "```\nand so on\n"), code);
  std::string const labelled = "/* usage\n```cpp\nf<<<1, 1>>>();\n```\n*/\n" + kCode;
  EXPECT_EQ(extracted("```\n" + labelled + "```\n"), labelled);
}

TEST(ExtractCode, TagsInCodeAreCode) {
  std::string const code = "/*\n<CODE>\nint a;\n</CODE>\n*/\n" + kCode;
  EXPECT_EQ(extracted("```cuda\n" + code + "```\n"), code);
  EXPECT_EQ(extracted("Call <code>f()</code> as before.\n```cuda\n" + kCode + "```\n"), kCode);
  EXPECT_EQ(extracted("I put it in <CODE></CODE>.\n<CODE>\n```cuda\n" + kCode + "```\n</CODE>\n"), kCode);
}

TEST(ExtractElement, TakesTheNearestPairOfTags) {
  EXPECT_EQ(cuco::extract_element("<NAME> a b\n</NAME>", "NAME"), "a b");
  EXPECT_EQ(cuco::extract_element("I use <NAME> as asked. <NAME>x</NAME> <NAME>y</NAME>", "NAME"), "x");
  EXPECT_EQ(cuco::extract_element("<name>x</Name>", "NAME"), "x");
  EXPECT_EQ(cuco::extract_element("<NAME>x", "NAME"), std::nullopt);
  EXPECT_EQ(cuco::extract_element("x</NAME>", "NAME"), std::nullopt);
  EXPECT_EQ(cuco::extract_element("<NAMES>x</NAMES>", "NAME"), std::nullopt);
  EXPECT_EQ(cuco::extract_element("<NAME></NAME>", "NAME"), "");
  EXPECT_EQ(cuco::extract_element("", "NAME"), std::nullopt);
  EXPECT_EQ(cuco::extract_element("<", "NAME"), std::nullopt);
}

TEST(ReadTitle, NamesAndDescribes) {
  auto title = cuco::read_title(
      "<NAME>Fused  Put/Wait (v2)</NAME>\n<DESCRIPTION>\nPuts early.\n\nWaits  late.\n</DESCRIPTION>\n");
  EXPECT_EQ(title.name, "fused_put_wait_v2");
  EXPECT_EQ(title.description, "Puts early. Waits late.");
  title = cuco::read_title("no title");
  EXPECT_EQ(title.name, "unnamed");
  EXPECT_EQ(title.description, "");
  EXPECT_EQ(cuco::read_title("<NAME>***</NAME>").name, "unnamed");
  // Tags that are not closed.
  title = cuco::read_title("<NAME>two_stage\n<DESCRIPTION>In two stages.\n\n```cuda\n```\n");
  EXPECT_EQ(title.name, "two_stage");
  EXPECT_EQ(title.description, "In two stages.");
}

TEST(ReadTitle, IsShortAndText) {
  std::string long_text;
  for (int i = 0; i < 5000; ++i) long_text += "\xC3\xA4";
  auto const title = cuco::read_title("<NAME>" + std::string(1000, 'x') + "</NAME><DESCRIPTION>" + long_text +
                                      "</DESCRIPTION>");
  EXPECT_EQ(title.name, std::string(64, 'x'));
  EXPECT_LE(title.description.size(), 2000U);
  EXPECT_GT(title.description.size(), 1900U);
  EXPECT_TRUE(title.description.ends_with("\xC3\xA4..."));
  EXPECT_EQ(cuco::read_title("<DESCRIPTION>a\xFF\x01z</DESCRIPTION>").description, "a??z");
}

TEST(ReplyText, LargeInputsTakeLittleTime) {
  auto const start = std::chrono::steady_clock::now();
  auto repeat = [](std::string const& unit) {
    std::string out;
    while (out.size() < (256U << 10U)) out += unit;
    return out;
  };
  for (std::string const unit : {"`",
                                 "```\n",
                                 "```cuda\n",
                                 "```cuda\n/*\n```\n",
                                 "<NAME>",
                                 "</NAME>",
                                 "<CODE>\n</CODE>",
                                 "<",
                                 "{",
                                 "x ",
                                 "\n",
                                 "/* */ ",
                                 "// /* ",
                                 "<CODE>```",
                                 "int a;\n",
                                 "```cuda\nint a;\n```\n",
                                 "~~~~",
                                 "```a\n~~~b\n"}) {
    std::string const reply = repeat(unit);
    (void)cuco::find_code_fences(reply);
    (void)cuco::extract_code(reply);
    (void)cuco::extract_element(reply, "NAME");
    (void)cuco::read_title(reply);
    (void)cuco::extract_code("```cuda\n" + reply + "\n```\n");
  }
  for (char const c : {'`', '<', '{', 'x', ' '}) {
    std::string const line(2U << 20U, c);
    (void)cuco::extract_code(line);
    (void)cuco::extract_code("```cuda\nint a;\n" + line + "\n```\n");
  }
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 120);
}

}  // namespace
