// SPDX-License-Identifier: BSD-3-Clause
// The first labels of node names, from host names that clients report (API-33, API-34).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ts2021/coord/id.h"

namespace ts2021::coord {

inline constexpr std::size_t max_label_size = 63;

// 1 to 63 characters of [a-z0-9-] without a dash at either end; "node-<id>" when nothing is left.
[[nodiscard]] std::string label_from_hostname(std::string_view hostname, NodeId id);

[[nodiscard]] bool is_label(std::string_view text) noexcept;

// The labels of one tailnet. Each has one holder.
class NameTable {
 public:
  // `label` itself, or one of label-1, label-2, … that nobody else holds; `holder` holds it from now on
  // (beside others that it may hold).
  [[nodiscard]] std::string allocate(std::string_view label, NodeId holder);
  // False when another holds it.
  [[nodiscard]] bool take(const std::string& label, NodeId holder);
  // Nothing happens when another holds it.
  void release(const std::string& label, NodeId holder);

 private:
  struct Holder {
    NodeId node;
    std::uint64_t next =
        1;  // suffixes below it were tried: a thousand nodes of one name are not a million looks
  };
  std::unordered_map<std::string, Holder> holders_;
};

}  // namespace ts2021::coord
