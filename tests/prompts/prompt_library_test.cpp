// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/llm/prompt_library.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace cuco {
namespace {

struct Folder {
  std::string path = std::filesystem::temp_directory_path() / ("cuco_prompts_" + std::to_string(::getpid()));
  Folder() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  void write(std::string const& name, std::string const& text) const {
    std::ofstream(path + "/" + name, std::ios::binary) << text;
  }
  [[nodiscard]] PromptLibrary load() const {
    auto library = PromptLibrary::load(path);
    EXPECT_TRUE(library) << to_line(library.error());
    return library ? *library : PromptLibrary();
  }
};

TEST(PromptLibrary, FillsAndLeavesCommentsOut) {
  Folder const folder;
  folder.write("greeting.txt",
               "#! Not sent, {{not a placeholder}}.\n\n  \nDear {{name}},\n#! neither is this\n#! nor "
               "this\nyours, {{me}}"
               " ({{name}})\n# a heading\n\n\n");
  folder.write("notes.md", "not a template {{");
  auto const library = folder.load();
  EXPECT_EQ(library.names(), std::vector<std::string>{"greeting"});
  EXPECT_EQ(library.placeholders("greeting").value(), (std::vector<std::string>{"name", "me"}));
  EXPECT_EQ(library.fill("greeting", {{"name", "Ada"}, {"me", "Bob"}}).value(),
            "Dear Ada,\nyours, Bob (Ada)\n# a heading");
}

TEST(PromptLibrary, ValuesAreNotRead) {
  Folder const folder;
  folder.write("code.txt", "{{a}}{{b}}");
  EXPECT_EQ(folder.load().fill("code", {{"a", "{{b}} {{"}, {"b", "#! }} {{a}}"}}).value(),
            "{{b}} {{#! }} {{a}}");
}

TEST(PromptLibrary, UnknownAndUnfilledAreErrors) {
  Folder const folder;
  folder.write("t.txt", "{{a}} {{b}}");
  auto const library = folder.load();
  auto text = library.fill("other");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kNotFound);
  text = library.fill("t", {{"a", "1"}});
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(text.error().cause.find("{{b}}"), std::string::npos);
  text = library.fill("t", {{"a", "1"}, {"b", "2"}, {"c", "3"}});
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(text.error().cause.find("{{c}}"), std::string::npos);
  ASSERT_FALSE(library.placeholders("other"));
}

TEST(PromptLibrary, MalformedPlaceholdersNameFileAndLine) {
  for (std::string const line : {"{{open",
                                 "{{}}",
                                 "{{Upper}}",
                                 "{{two words}}",
                                 "}} alone",
                                 "a }} b {{c}}",
                                 "{{ spaced }}",
                                 "{{a{{b}}",
                                 "{{good}} {{bad",
                                 "{single}}"}) {
    Folder const folder;
    folder.write("bad.txt", "#! {{ is fine here\nfirst\n" + line + "\nlast {{x}}\n");
    auto const library = PromptLibrary::load(folder.path);
    ASSERT_FALSE(library) << line;
    EXPECT_EQ(library.error().code, ErrorCode::kParse) << line;
    EXPECT_EQ(library.error().file, folder.path + "/bad.txt");
    EXPECT_EQ(library.error().line, 3U) << line;
  }
}

TEST(PromptLibrary, WindowsLineEndsAndNoLastLineEnd) {
  Folder const folder;
  folder.write("t.txt", "#! c\r\none {{a}}\r\ntwo");
  EXPECT_EQ(folder.load().fill("t", {{"a", "1"}}).value(), "one 1\ntwo");
  folder.write("t.txt", "");
  EXPECT_EQ(folder.load().fill("t").value(), "");
}

TEST(PromptLibrary, NoFolderAndNoTemplatesAreNotFound) {
  auto library = PromptLibrary::load("/nowhere/at/all");
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().code, ErrorCode::kNotFound);
  EXPECT_NE(library.error().remedy.find("CUCO_PROMPTS"), std::string::npos);
  Folder const folder;
  library = PromptLibrary::load(folder.path);
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().code, ErrorCode::kNotFound);
}

TEST(PromptLibrary, TheEnvironmentNamesTheFolder) {
  Folder const folder;
  folder.write("mine.txt", "text");
  ASSERT_EQ(::setenv("CUCO_PROMPTS", folder.path.c_str(), 1), 0);
  auto const named = PromptLibrary::load();
  ::unsetenv("CUCO_PROMPTS");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->names(), std::vector<std::string>{"mine"});
  auto const own = PromptLibrary::load();
  ASSERT_TRUE(own) << to_line(own.error());
  EXPECT_TRUE(own->placeholders("mutate_system"));
}

}  // namespace
}  // namespace cuco
