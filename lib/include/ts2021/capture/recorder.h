// SPDX-License-Identifier: BSD-3-Clause
// From what a tracer is told to the lines of a capture, in two steps: a cheap copy where the connection
// lives, and the dear rest wherever there is time.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "ts2021/capture/line.h"
#include "ts2021/conn/tracer.h"

namespace ts2021 {

// A copy of the event; `at`, `session` and `peer` are the caller's to fill in.
[[nodiscard]] CaptureLine capture_line(const TraceEvent& event);

// Joins the parts of answers and takes map messages out of their frames. Of all connections; lines go in as
// they came from capture_line().
class CaptureAssembler {
 public:
  CaptureAssembler();
  ~CaptureAssembler();

  // Appends what is complete to `out`. An answer that streams anything but maps is told when it ends; more
  // than max_held bytes of one are told in parts.
  void take(CaptureLine line, std::vector<CaptureLine>& out);

  static constexpr std::size_t max_held = 4 << 20;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021
