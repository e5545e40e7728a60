// SPDX-License-Identifier: BSD-3-Clause
// From what was seen to what is wrong, why, and what to do about it. Pure: no sockets, no clock.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ts2021/doctor/ailment.h"
#include "ts2021/doctor/record.h"

namespace ts2021::app {

struct Diagnosis {
  Ailment ailment = ailment::good;
  std::optional<std::size_t> hop;   // the record that breaks; none: nothing does
  std::vector<std::string> causes;  // the likeliest first; all that fit
  std::string advice;               // one sentence
};

// The first record that failed decides; the others help to tell causes apart.
[[nodiscard]] Diagnosis diagnose(std::span<const Record> walk);

}  // namespace ts2021::app
