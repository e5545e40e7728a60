// SPDX-License-Identifier: BSD-3-Clause
// A desk in test mode, and orders that are carried out at once.
#pragma once

#include "support/catch.h"
#include "support/coord_desk.h"

namespace ts2021::test {

struct TestDesk : Desk {
  explicit TestDesk(Rules rules = {},
                    std::shared_ptr<MemoryRecords> records = std::make_shared<MemoryRecords>())
      : Desk(config(std::move(rules)), std::move(records)) {}

  static CoordinatorConfig config(Rules rules) {
    auto config = desk_config();
    config.test_mode = true;
    config.rules = std::move(rules);
    config.rules.login_url = "http://control.test";
    return config;
  }

  coord_event::CommandDone done_with(CoordOrder what) {
    const CommandId id = Desk::order(std::move(what));
    pump();
    REQUIRE(done.contains(id));
    return done.at(id);
  }
  int order(CoordOrder what) { return done_with(std::move(what)).status; }
  int set(Rules rules) {
    if (rules.login_url.empty()) rules.login_url = "http://control.test";
    return order(coord_command::SetRules{std::move(rules)});
  }
};

}  // namespace ts2021::test
