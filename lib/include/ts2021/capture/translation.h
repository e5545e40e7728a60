// SPDX-License-Identifier: BSD-3-Clause
// What is another one in a replay than it was in the recording: keys, and texts that were handed out.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "ts2021/base/bytes.h"
#include "ts2021/base/entropy.h"

namespace ts2021 {

// One to one, both ways of a conversation: what was recorded stands for what is now.
class Translation {
 public:
  // From here on `recorded` becomes `now`; the first one that is told holds. Empty texts are left alone.
  void add(std::string_view recorded, std::string_view now);
  // Members of the same name in two JSON objects that are keys of the same kind.
  void add_keys(Bytes recorded, Bytes now);

  // Every key text of 64 digits and every text that was added. A key that was never told becomes a fresh one
  // of its kind, for good, if there is `entropy`; else it stays. The zero key always stays.
  [[nodiscard]] std::string apply(std::string_view text, Entropy* fresh = nullptr);

 private:
  std::map<std::string, std::string, std::less<>> keys_, words_;
};

}  // namespace ts2021
