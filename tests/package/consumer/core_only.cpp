#include <cuco/core/concepts.hpp>
#include <cuco/core/population.hpp>
#include <cuco/core/result.hpp>
#include <cuco/core/rng.hpp>

struct FirstSelector {
  cuco::Result<cuco::ProgramId> select(cuco::Population const& population, cuco::Rng&) {
    return population.members.front().id;
  }
};
static_assert(cuco::explain_selector<FirstSelector>());

int main() {
  cuco::Rng rng{1};
  return FirstSelector{}.select(cuco::Population{{cuco::Member{{"a"}}}}, rng)->value == "a" ? 0 : 1;
}
