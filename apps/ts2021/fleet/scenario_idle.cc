// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/scenario.h"

namespace ts2021::app::fleet {

void run_idle(Fleet& fleet, Outcome& result) {
  const bool quiet = fleet.settle();
  const auto news = fleet.news_count(), keep_alives = fleet.keep_alive_count();
  fleet.start_clock();
  fleet.run_for(seconds(fleet.options().hold));
  fleet.stop_clock();
  result.done = fleet.streaming().size();
  result.values.emplace_back("quiet_before", quiet ? 1 : 0);
  result.values.emplace_back("news", static_cast<double>(fleet.news_count() - news));
  result.values.emplace_back("keep_alives", static_cast<double>(fleet.keep_alive_count() - keep_alives));
  if (result.server_after)
    result.values.emplace_back("hold_cpu_percent", 100 * result.server_cpu_s() / result.seconds);
  fleet.finish();
}

}  // namespace ts2021::app::fleet
