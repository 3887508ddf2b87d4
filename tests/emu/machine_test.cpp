// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/emu/machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace {

using cuco::Error;
using cuco::ErrorCode;
using cuco::IssueMode;
using cuco::Machine;
using cuco::Result;
using testing::HasSubstr;

Machine loaded(std::string const& name) {
  Result<Machine> machine = cuco::load_machine(name);
  EXPECT_TRUE(machine) << cuco::to_line(machine.error());
  return machine.value_or(Machine{});
}
Error refused(std::string const& toml) {
  Result<Machine> machine = cuco::parse_machine(toml, "m.toml");
  EXPECT_FALSE(machine) << toml;
  return machine ? Error{} : machine.error();
}

TEST(Machines, TheOnesThatComeAlong) {
  EXPECT_THAT(cuco::machine_names(), testing::IsSupersetOf({"h200-2x4", "h200-ib400", "h200-nvlink"}));
  EXPECT_EQ(loaded("").name, "h200-nvlink");
  for (std::string const& name : cuco::machine_names()) {
    Machine const machine = loaded(name);
    EXPECT_EQ(machine.name, name);
    EXPECT_FALSE(machine.description.empty());
    EXPECT_FALSE(machine.parameters.empty());
  }
  EXPECT_EQ(loaded("h200-nvlink").parameter("gpus_per_node"), 8);
  EXPECT_EQ(loaded("h200-ib400").parameter("gpus_per_node"), 1);
  EXPECT_EQ(loaded("h200-2x4").parameter("gpus_per_node"), 4);
  // What a machine does not say it takes from its base.
  EXPECT_EQ(loaded("h200-2x4").parameter("peer_latency_us"),
            loaded("h200-nvlink").parameter("peer_latency_us"));
}

TEST(Machines, EveryNumberOfTheFilesHasASource) {
  for (std::string const& name : cuco::machine_names()) {
    std::ifstream in(loaded(name).file);
    std::string collective;
    bool sourced = false;
    for (std::string line; std::getline(in, line);) {
      if (line.rfind("[collective", 0) == 0) sourced = false;
      if (line.empty() || line[0] == '#' || line[0] == '[') continue;
      std::size_t const equals = line.find(" = ");
      ASSERT_NE(equals, std::string::npos) << line;
      if (equals + 3 < line.size() && line[equals + 3] == '"') continue;
      bool const here = line.find("# [") != std::string::npos;
      // Inside one collective the first comment speaks for the rest.
      sourced = sourced || here;
      EXPECT_TRUE(here || sourced) << name << ": " << line;
    }
  }
}

TEST(Machines, FlattenWritesEveryParameterOnce) {
  Machine const machine = loaded("h200-nvlink");
  std::istringstream in(cuco::flatten(machine));
  std::set<std::string> keys;
  for (std::string line; std::getline(in, line);) {
    std::size_t const equals = line.find('=');
    ASSERT_NE(equals, std::string::npos) << line;
    EXPECT_TRUE(keys.insert(line.substr(0, equals)).second) << line;
    EXPECT_GT(line.size(), equals + 1);
  }
  EXPECT_EQ(keys.size(), machine.parameters.size() + 1);
  EXPECT_EQ(keys.count("name"), 1U);
  EXPECT_EQ(keys.count("allreduce_intra_base_us"), 1U);
}

TEST(Machines, IssueModesReplaceParameters) {
  Machine machine = loaded("h200-nvlink");
  ASSERT_EQ(machine.issue_mode, IssueMode::kProcessPerGpu);
  double const own = machine.parameter("kernel_gap_per_rank_us").value();
  std::string const flat = cuco::flatten(machine);
  machine.issue_mode = IssueMode::kSharedProcess;
  EXPECT_GT(machine.parameter("kernel_gap_per_rank_us").value(), own);
  EXPECT_NE(cuco::flatten(machine), flat);
}

TEST(Machines, ParametersByGroupAndPrefix) {
  Result<Machine> const machine = cuco::parse_machine(
      "name = \"x\"\n[gpu]\nsm_count = 10\n[anything]\npeer_latency_us = "
      "0.5\n[collective.allreduce_inter]\nbase_us = 3\n"
      "[host]\nissue_mode = \"shared_process\"\n[host.shared_process]\napi_us = 9\n",
      "m.toml");
  ASSERT_TRUE(machine) << cuco::to_line(machine.error());
  EXPECT_EQ(machine->parameter("sm_count"), 10);
  EXPECT_EQ(machine->parameter("peer_latency_us"), 0.5);
  EXPECT_EQ(machine->parameter("allreduce_inter_base_us"), 3);
  EXPECT_EQ(machine->parameter("api_us"), 9);
  EXPECT_EQ(machine->parameter("no_such"), std::nullopt);
  EXPECT_THAT(cuco::flatten(*machine), HasSubstr("\nsm_count=10\n"));
}

TEST(MachineErrors, NameFileLineAndCause) {
  struct Case {
    char const* toml;
    unsigned line;
    char const* cause;
  };
  for (Case const& c : {
           Case{"name = \"x\"\n[gpu]\nsm_cuont = 3\n", 3, "unknown machine parameter 'sm_cuont'"},
           Case{"name = \"x\"\n[gpu]\nsm_count = \"3\"\n", 3, "not a number"},
           Case{"name = \"x\"\n[gpu]\nsm_count = 3.5\n", 3, "not a whole number"},
           Case{"name = \"x\"\n[gpu]\nsm_count = 0\n", 3, "out of range"},
           Case{"name = \"x\"\n[gpu]\nhbm_gbps = -1\n", 3, "out of range"},
           Case{"name = \"x\"\n[gpu]\nhbm_gbps = 0\n", 3, "out of range"},
           Case{"name = \"x\"\n[gpu]\nhbm_gbps = inf\n", 3, "out of range"},
           Case{"name = \"x\"\n[gpu]\nhbm_gbps = 1\n[link]\nhbm_gbps = 2\n", 5, "given twice"},
           Case{"name = \"x\"\n[host]\nissue_mode = \"both\"\n", 3, "issue_mode"},
           Case{"name = \"x\"\nsm_count = 3\n", 2, "unknown key 'sm_count'"},
           Case{"name = 3\n", 1, "not a string"},
           Case{"name = \"a=b\"\n", 1, "'='"},
           Case{"[gpu]\nsm_count = 3\n", 1, "has no name"},
           Case{"name = \"x\"\nbase = \"h100\"\n", 2, "no machine 'h100'"},
           Case{"name = \"x\"\n[gpu\n", 2, ""},
           Case{"", 1, "has no name"},
       }) {
    Error const error = refused(c.toml);
    EXPECT_EQ(error.code, ErrorCode::kParse) << c.toml;
    EXPECT_EQ(error.file, "m.toml") << c.toml;
    EXPECT_EQ(error.line, c.line) << c.toml << cuco::to_line(error);
    EXPECT_THAT(error.cause, HasSubstr(c.cause)) << c.toml;
    EXPECT_EQ(error.cause.find('\n'), std::string::npos);
  }
}

TEST(MachineErrors, AnUnknownNameListsTheKnownOnes) {
  Result<Machine> const machine = cuco::load_machine("h100");
  ASSERT_FALSE(machine);
  EXPECT_EQ(machine.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(machine.error().remedy, HasSubstr("h200-nvlink"));
  Result<Machine> const file = cuco::load_machine("/nonexistent/m.toml");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(cuco::load_machine("/"));
}

TEST(MachineErrors, AChainOfBasesEnds) {
  std::string const path = testing::TempDir() + "/loop.toml";
  std::ofstream(path) << "name = \"loop\"\nbase = \"" << path << "\"\n";
  Result<Machine> const machine = cuco::load_machine(path);
  ASSERT_FALSE(machine);
  EXPECT_THAT(machine.error().cause, HasSubstr("does not end"));
  std::filesystem::remove(path);
}

}  // namespace
