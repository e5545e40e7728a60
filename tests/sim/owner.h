// SPDX-License-Identifier: BSD-3-Clause
// What the owner of a simulated tailnet does, by orders and behind the coordinator's back.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>

#include "sim/intent.h"
#include "support/administrator.h"
#include "ts2021/coord/command.h"

namespace ts2021::test {

std::shared_ptr<const DERPMap> make_derp_map(int regions);

class Owner {
 public:
  // The policies that it makes have up to so many islands.
  Owner(Intent& intent, std::shared_ptr<MemoryRecords> records, std::mt19937_64& random,
        std::uint64_t islands = 3)
      : intent_(intent), administrator_(std::move(records)), random_(random), islands_(islands) {}

  struct Order {
    CoordOrder what;
    std::function<void()> done;  // to be called when it was carried out
  };
  std::optional<Order> order(WallTime now);
  Order another_policy();
  Order another_derp_map();
  void administrate();  // writes into the store

 private:
  NodeId some_node();
  Order messages();
  Order override_something();
  std::optional<Order> pairs();
  Order node_order(WallTime now);
  std::uint64_t roll(std::uint64_t sides) { return random_() % sides; }
  // What is expected once an order was carried out.
  template <class How>
  std::function<void()> then(How how) {
    return [this, how] { intent_.obey(how); };
  }

  Intent& intent_;
  Administrator administrator_;
  std::mt19937_64& random_;
  std::uint64_t islands_, orders_ = 0;
};

}  // namespace ts2021::test
