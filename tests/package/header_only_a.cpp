// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuco/cuco.hpp>

bool reads_programs();

int main() {
  return reads_programs() && cuco::machine_names().size() > 1 ? 0 : 1;
}
