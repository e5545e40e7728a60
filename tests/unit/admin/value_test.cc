// SPDX-License-Identifier: BSD-3-Clause
// The small things that calls are written with.
#include "admin/duration.h"
#include "support/catch.h"

using namespace ts2021::admin;
using std::chrono::milliseconds;

TEST_CASE("Durations are numbers with units") {
  CHECK(parse_duration("250ms") == milliseconds{250});
}
