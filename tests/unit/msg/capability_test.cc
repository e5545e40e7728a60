// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/capability.h"

#include <algorithm>

#include "support/catch.h"
#include "ts2021/msg/downlevel.h"

namespace ts2021 {
namespace {

TEST_CASE("capability: the list") {
  CHECK(static_cast<unsigned>(newest_capability) == 148);
  CHECK(static_cast<unsigned>(minimum_capability) == 26);
  CHECK(static_cast<unsigned>(Capability::early_noise) == 49);
  CHECK(meaning(Capability::packet_filters).starts_with("PacketFilters"));
  CHECK(meaning(Capability{35}).empty());
}

TEST_CASE("capability: classes are the intervals between thresholds") {
  CHECK(lowest(CapabilityClass{0}) == minimum_capability);
  CHECK(capability_class(Capability{0}) == CapabilityClass{0});  // TS2019 says 1; it is served as the oldest
  CHECK(capability_class(Capability{26}) == CapabilityClass{0});
  CHECK(capability_class(any_capability) == capability_class(newest_capability));
  CHECK(capability_class(Capability{0xfffe}) == capability_class(newest_capability));
  CHECK(capability_class(Capability{80}) != capability_class(Capability{81}));
  CHECK(capability_class(Capability{132}) == capability_class(Capability{147}));
  CHECK(capability_class(Capability{147}) != capability_class(Capability{148}));
  CHECK(capability_class_count() > 20);
  CHECK(capability_class_count() < 60);
  for (std::size_t i = 1; i < capability_class_count(); ++i)
    CHECK(lowest(static_cast<CapabilityClass>(i - 1)) < lowest(static_cast<CapabilityClass>(i)));
  for (const Capability threshold : downlevel_thresholds())
    CHECK(lowest(capability_class(threshold)) == threshold);
  CHECK(std::is_sorted(downlevel_thresholds().begin(), downlevel_thresholds().end()));
}

}  // namespace
}  // namespace ts2021
