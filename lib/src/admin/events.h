// SPDX-License-Identifier: BSD-3-Clause
// What has happened, for tests that look on: numbered from 1, the last 10,000 are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "admin/reply.h"

namespace ts2021::admin {

// Must be in the order of the names in events.cc.
enum class EventType : std::uint8_t {
  register_done,
  auth_complete,
  map_request,
  map_end,
  set_dns,
  ping_result,
  c2n_result,
  unhandled
};

class Events {
 public:
  static constexpr std::size_t max_kept = 10'000;

  // A set of types, as bits.
  using Types = std::uint32_t;
  static constexpr Types all_types = ~Types{};
  // A comma list; nothing when a name in it is unknown, which `unknown` then is.
  [[nodiscard]] static std::optional<Types> parse_types(std::string_view list, std::string_view& unknown);

  // `fill` writes the members behind seq and type.
  template <class Fill>
  void add(EventType type, Fill fill) {
    const std::uint64_t seq = ++last_;
    keep(type, json_object([&](json::Writer& out) {
           number_member(out, "seq", seq);
           text_member(out, "type", name(type));
           fill(out);
         }));
  }

  [[nodiscard]] std::uint64_t last() const { return last_; }
  [[nodiscard]] bool has(Types types, std::uint64_t after) const;
  // The answer to one who has seen all up to `after`.
  [[nodiscard]] std::string tell(Types types, std::uint64_t after) const;

 private:
  struct Kept {
    EventType type;
    std::string json;
  };
  [[nodiscard]] static std::string_view name(EventType type);
  void keep(EventType type, std::string json);
  [[nodiscard]] std::uint64_t first() const { return last_ - kept_.size() + 1; }
  template <class See>
  void each(Types types, std::uint64_t after, See see) const;

  std::uint64_t last_ = 0;
  std::deque<Kept> kept_;  // numbers first() to last_
};

}  // namespace ts2021::admin
