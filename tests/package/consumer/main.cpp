#include <cuco/cuco.hpp>

// The installed library finds its machine descriptions beside its headers.
int main() {
  auto machine = cuco::load_machine("h200-nvlink");
  auto report = cuco::Analyzer{}.analyze("int main() { return 0; }\n");
  cuco::MemoryStorage storage;
  cuco::Program program;
  program.id = {"a"};
  return machine && report && report->functions.size() == 1 && storage.add(program) ? 0 : 1;
}
