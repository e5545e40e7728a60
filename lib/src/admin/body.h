// SPDX-License-Identifier: BSD-3-Clause
// Bodies that are messages of the protocol.
#pragma once

#include <string>
#include <string_view>
#include <tuple>

#include "json/reader.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/primitives.h"

namespace ts2021::admin {

// The name of the number-th member of the field table, from 1; empty: there is none.
template <class T>
[[nodiscard]] std::string_view member_name(std::uint32_t number) {
  std::string_view name;
  std::uint32_t at = 0;
  std::apply([&](const auto&... field) { ((++at == number ? void(name = field.name) : void()), ...); },
             fields(static_cast<const T*>(nullptr)));
  return name;
}

// What is wrong with the text, for a person; empty when all is well.
template <class T>
[[nodiscard]] std::string decode_body(std::string_view body, T& out) {
  auto decoded = decode_copy<T>(as_bytes(body));
  if (decoded) {
    out = std::move(*decoded);
    return {};
  }
  const std::string_view name = member_name<T>(decoded.error().detail);
  json::Document document;
  if (!document.parse_copy(as_bytes(body))) return "the body is not JSON";
  return name.empty() ? "the body is not what it should be"
                      : "\"" + std::string(name) + "\" has a wrong type";
}

// What is wrong with a body that must be an object; empty when nothing is.
[[nodiscard]] std::string check_object(std::string_view body);
// Capabilities with lists of values, null for none. False: something else.
[[nodiscard]] bool read_cap_map(const json::Value& value, CapMap& out);

}  // namespace ts2021::admin
