// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/capability.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <type_traits>

#include "msg/downlevel_thresholds.h"
#include "msg/shape.h"
#include "ts2021/msg/map_response.h"
#include "ts2021/msg/register.h"

namespace ts2021 {
namespace {

constexpr std::size_t number_count = 256;  // all thresholds are below
static_assert(static_cast<std::size_t>(newest_capability) < number_count);
using Marks = std::array<bool, number_count>;

constexpr void mark(Capability threshold, Marks& marks) {
  if (threshold > minimum_capability && threshold != any_capability)
    marks[static_cast<std::size_t>(threshold)] = true;
}

template <class T>
constexpr void mark_members(Marks& marks) {
  if constexpr (codec::is_optional<T> || codec::is_vector<T>) {
    mark_members<typename T::value_type>(marks);
  } else if constexpr (codec::is_map<T>) {
    mark_members<typename T::mapped_type>(marks);
  } else if constexpr (codec::Message<T>) {
    const auto member = [&](const auto& field) {
      mark(field.since, marks);
      mark(field.until, marks);
      mark_members<std::remove_cvref_t<decltype(std::declval<T>().*field.member)>>(marks);
    };
    std::apply([&](const auto&... field) { (member(field), ...); }, fields(static_cast<const T*>(nullptr)));
  }
}

constexpr Marks marks = [] {
  Marks all{};
  all[static_cast<std::size_t>(minimum_capability)] = true;
  mark_members<MapResponse>(all);
  mark_members<RegisterResponse>(all);
  for (const Capability threshold : downlevel_threshold_list) mark(threshold, all);
  return all;
}();
constexpr std::size_t class_count = static_cast<std::size_t>(std::count(marks.begin(), marks.end(), true));
static_assert(class_count < 256);

// The lowest version of each class, ascending.
constexpr auto floors = [] {
  std::array<Capability, class_count> all{};
  std::size_t used = 0;
  for (std::size_t number = 0; number < number_count; ++number)
    if (marks[number]) all[used++] = static_cast<Capability>(number);
  return all;
}();

}  // namespace

std::string_view meaning(Capability capability) noexcept {
  struct Row {
    Capability number;
    std::string_view meaning;
  };
  static constexpr Row rows[] = {
#define TS2021_CAPABILITY(number, name, meaning) {Capability::name, meaning},
#include "ts2021/msg/capability.def"
#undef TS2021_CAPABILITY
  };
  for (const Row& row : rows)
    if (row.number == capability) return row.meaning;
  return {};
}

CapabilityClass capability_class(Capability capability) noexcept {
  const auto above = std::upper_bound(floors.begin() + 1, floors.end(), capability);
  return static_cast<CapabilityClass>(above - floors.begin() - 1);
}

std::size_t capability_class_count() noexcept { return class_count; }

Capability lowest(CapabilityClass of) noexcept { return floors[static_cast<std::size_t>(of)]; }

}  // namespace ts2021
