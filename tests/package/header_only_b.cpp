// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuco/cuco.hpp>

bool reads_programs() {
  return cuco::Analyzer{}.analyze("int main() {}\n").has_value();
}
