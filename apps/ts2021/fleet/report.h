// SPDX-License-Identifier: BSD-3-Clause
// A run as text, as JSON and as panels of a plot.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ts2021/fleet/fold_sample.h"
#include "ts2021/fleet/options.h"
#include "ts2021/fleet/outcome.h"
#include "ts2021/fleet/plot.h"

namespace ts2021::app::fleet {

struct Report {
  Options options;
  double seconds = 0;
  std::uint64_t file_limit = 0;
  std::optional<ProcessSample> server_baseline;
  ProcessSample fleet_baseline;  // with all keys made
  std::vector<Outcome> results;

  std::uint64_t messages = 0, decoded = 0, decoded_whole = 0;
  std::size_t folded_nodes = 0;
  std::map<std::pair<std::string, std::string>, FoldSample::Found> findings;
  std::uint64_t harmful = 0;
  std::map<std::string, std::uint64_t> drops;  // streams that the server ended
  std::string error;                           // why it ended early; empty: it didn't

  [[nodiscard]] bool good() const;
};

[[nodiscard]] std::string text(const Outcome& result, const Report& report);  // lines
[[nodiscard]] std::string summary(const Report& report);
[[nodiscard]] std::string json(const Report& report);
[[nodiscard]] std::vector<Panel> panels(const Report& report);

}  // namespace ts2021::app::fleet
