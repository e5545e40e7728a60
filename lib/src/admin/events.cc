// SPDX-License-Identifier: BSD-3-Clause
#include "admin/events.h"

#include <algorithm>
#include <array>

#include "admin/query.h"

namespace ts2021::admin {
namespace {

constexpr std::array<std::string_view, 8> names{"register", "auth-complete", "map-request", "map-end",
                                                "set-dns",  "ping-result",   "c2n-result",  "unhandled"};

constexpr Events::Types bit(std::size_t type) { return Events::Types{1} << type; }

}  // namespace

std::string_view Events::name(EventType type) { return names[static_cast<std::size_t>(type)]; }

std::optional<Events::Types> Events::parse_types(std::string_view list, std::string_view& unknown) {
  Types types = 0;
  for (const std::string_view part : comma_list(list)) {
    const auto at = std::find(names.begin(), names.end(), part);
    if (at == names.end()) {
      unknown = part;
      return std::nullopt;
    }
    types |= bit(static_cast<std::size_t>(at - names.begin()));
  }
  return types == 0 ? all_types : types;
}

void Events::keep(EventType type, std::string json) {
  kept_.push_back({type, std::move(json)});
  if (kept_.size() > max_kept) kept_.pop_front();
}

// `see` returns false to end it.
template <class See>
void Events::each(Types types, std::uint64_t after, See see) const {
  for (std::uint64_t seq = std::max(after + 1, first()); seq <= last_; ++seq) {
    const Kept& kept = kept_[static_cast<std::size_t>(seq - first())];
    if ((types & bit(static_cast<std::size_t>(kept.type))) != 0 && !see(kept)) return;
  }
}

bool Events::has(Types types, std::uint64_t after) const {
  bool found = false;
  if (after < last_) each(types, after, [&](const Kept&) { return !(found = true); });
  return found;
}

std::string Events::tell(Types types, std::uint64_t after) const {
  return json_object([&](json::Writer& out) {
    out.plain_name("events");
    out.begin_array();
    if (after < last_)
      each(types, after, [&](const Kept& kept) {
        out.raw(kept.json);
        return true;
      });
    out.end_array();
    number_member(out, "next", last_);
    number_member(out, "lost", after + 1 < first() ? first() - 1 - after : 0);
  });
}

}  // namespace ts2021::admin
