// SPDX-License-Identifier: BSD-3-Clause
// What tests have set by PUT, as they wrote it.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace ts2021::admin {

class Documents {
 public:
  // "null" when it is not set.
  [[nodiscard]] std::string_view get(std::string_view path) const {
    const auto at = texts_.find(path);
    return at == texts_.end() ? std::string_view("null") : at->second;
  }
  // `null` unsets it.
  void put(const std::string& path, std::string text, bool null) {
    if (null)
      texts_.erase(path);
    else
      texts_[path] = std::move(text);
  }

 private:
  std::map<std::string, std::string, std::less<>> texts_;  // by path, keys in lower case
};

}  // namespace ts2021::admin
