// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <utility>

#include "common/clock.h"
#include "ts2021/doctor/record.h"

namespace ts2021::app {

[[nodiscard]] inline double milliseconds_between(Instant begin, Instant end) {
  return std::chrono::duration<double, std::milli>(end - begin).count();
}

// Lets `step` fill a record and notes how long it took.
template <class Step>
[[nodiscard]] Record timed(Record record, const Step& step) {
  const Instant begun = now().mono;
  step(record);
  record.milliseconds = milliseconds_between(begun, now().mono);
  return record;
}

}  // namespace ts2021::app
