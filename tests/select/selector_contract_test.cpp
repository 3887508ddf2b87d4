// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "../contract/selector_contract.hpp"

#include "cuco/select/any_selector.hpp"
#include "cuco/select/beam_selector.hpp"
#include "cuco/select/best_of_n_selector.hpp"
#include "cuco/select/phased_selector.hpp"
#include "cuco/select/power_law_selector.hpp"
#include "cuco/select/uniform_selector.hpp"
#include "cuco/select/weighted_selector.hpp"

namespace cuco::testing {

struct PhasedBeam : PhasedSelector<BeamSelector, BeamSelector> {
  PhasedBeam() : PhasedSelector(BeamSelector{}, BeamSelector{.beams = 2}) {}
};
struct ErasedBeam : AnySelector {
  ErasedBeam() : AnySelector(make_selector("beam_search").value()) {}
};
struct ErasedPowerLaw : AnySelector {
  ErasedPowerLaw() : AnySelector(make_selector("power_law").value()) {}
};

using Models = ::testing::Types<UniformSelector,
                                PowerLawSelector,
                                WeightedSelector,
                                BeamSelector,
                                BestOfNSelector,
                                PhasedBeam,
                                ErasedBeam,
                                ErasedPowerLaw>;
INSTANTIATE_TYPED_TEST_SUITE_P(All, SelectorContract, Models);

}  // namespace cuco::testing
