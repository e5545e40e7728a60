// SPDX-License-Identifier: BSD-3-Clause
// What every Store must do. Each check throws Catch2's failure; the world is made anew for each.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ts2021/coord/store.h"

namespace ts2021::test {

struct StoreWorld {
  virtual ~StoreWorld() = default;
  // A new handle of a writer on the same records.
  virtual std::unique_ptr<Store> open() = 0;
  // Lets time pass for stores that answer late. Called between polls.
  virtual void settle() {}
};
using MakeStoreWorld = std::function<std::unique_ptr<StoreWorld>()>;

// Runs all checks as sections of the calling test case.
void store_suite(const MakeStoreWorld& make);

}  // namespace ts2021::test
