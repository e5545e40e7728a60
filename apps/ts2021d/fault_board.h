// SPDX-License-Identifier: BSD-3-Clause
// The faults of the moment: set by the thread that coordinates, looked at by those of connections.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "ts2021/admin/fault.h"

namespace ts2021::app {

class FaultBoard final : public admin::FaultSource {
 public:
  void set(std::shared_ptr<const admin::FaultBook> book) {
    const std::lock_guard lock(mutex_);
    any_ = book != nullptr;
    book_ = std::move(book);
  }
  [[nodiscard]] std::shared_ptr<const admin::FaultBook> faults() const override {
    if (!any_) return nullptr;
    const std::lock_guard lock(mutex_);
    return book_;
  }

 private:
  std::atomic<bool> any_{false};  // spares the lock
  mutable std::mutex mutex_;
  std::shared_ptr<const admin::FaultBook> book_;
};

}  // namespace ts2021::app
