// SPDX-License-Identifier: BSD-3-Clause
// Values from many threads to one: a vector swapped whole, and one wake-up when it was empty.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "ts2021d/event_loop.h"

namespace ts2021::app {

template <class T>
class Mailbox {
 public:
  // The loop of the reading thread; must outlive the mailbox.
  explicit Mailbox(EventLoop& reader) : reader_(&reader) {}

  // Empties `items`.
  void post(std::vector<T>& items) {
    if (items.empty()) return;
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      was_empty = items_.empty();
      if (was_empty)
        items_.swap(items);
      else
        items_.insert(items_.end(), std::make_move_iterator(items.begin()),
                      std::make_move_iterator(items.end()));
    }
    items.clear();
    trim(items);
    if (was_empty) reader_->wake();
  }
  void post(T item) {
    std::vector<T> one;
    one.push_back(std::move(item));
    post(one);
  }

  // Everything so far, into an empty vector.
  void take(std::vector<T>& out) {
    trim(out);
    const std::lock_guard lock(mutex_);
    out.swap(items_);
  }

 private:
  // A vector keeps its memory, but not that of a round for everybody.
  static void trim(std::vector<T>& items) {
    constexpr std::size_t kept = 1024;
    if (items.capacity() > kept) std::vector<T>().swap(items);
  }

  EventLoop* reader_;
  std::mutex mutex_;
  std::vector<T> items_;
};

}  // namespace ts2021::app
