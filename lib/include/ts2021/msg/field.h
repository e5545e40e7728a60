// SPDX-License-Identifier: BSD-3-Clause
// The field table of a message: decoding and encoding follow from it.
//
//   struct TKAInfo { std::string head; bool disabled = false; };
//   constexpr auto fields(const TKAInfo*) {
//     return std::tuple{Field<"Head", &TKAInfo::head>{}, Field<"Disabled", &TKAInfo::disabled>{}};
//   }
//
// Order in the table is order on the wire. What a member may be:
//   bool, integers, enums (as their integers), double, std::string, keys, Blob, IpAddress, IpPrefix, IpPort,
//   Time, RawJson, another message, std::vector and std::map of these, std::optional of any of them.
// Reading takes null for any of them as "absent". A message with a member `RawJson raw` that is in no table
// gets the whole object there, unknown members included. One with a member `RawJson extra` that is in no
// table gets an object of the members that the table does not have, and writes them behind its own. Writing
// leaves out elements for which `valid(const T&)` or `valid(const T&, Capability viewer)`, found beside T, is
// false.
#pragma once

#include <cstddef>
#include <string_view>
#include <tuple>

#include "ts2021/msg/capability.h"

namespace ts2021 {

template <std::size_t N>
struct FieldName {
  char text[N]{};
  constexpr FieldName(const char (&from)[N]) {
    for (std::size_t i = 0; i < N; ++i) text[i] = from[i];
  }
  [[nodiscard]] constexpr std::string_view view() const { return {text, N - 1}; }
};

template <FieldName Name, auto Member>
struct Field {
  // Viewers with since ≤ capability < until get it.
  Capability since{};
  Capability until = any_capability;
  // Left out when false, 0, "", zero, or an empty list, map or message. Never applies to an optional that has
  // a value, so std::optional<std::vector<T>> tells [] from absent; an empty optional is always left out.
  bool omit_empty = true;
  // Text that is not an absolute URL is left out (Rust refuses it).
  bool absolute_url = false;
  // Text that Rust borrows from the input: quotes, backslashes and control characters are replaced.
  bool plain = false;

  static constexpr std::string_view name = Name.view();
  static constexpr auto member = Member;
};

// The table entry of a member that is written even when empty.
template <FieldName Name, auto Member>
inline constexpr Field<Name, Member> always{.omit_empty = false};
// The same for names: see Field::plain.
template <FieldName Name, auto Member>
inline constexpr Field<Name, Member> always_plain{.omit_empty = false, .plain = true};

}  // namespace ts2021
