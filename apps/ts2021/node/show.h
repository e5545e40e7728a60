// SPDX-License-Identifier: BSD-3-Clause
// Values of messages for people, and what differs between two messages, by the names of the wire.
#pragma once

#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "common/printable.h"
#include "ts2021/msg/field.h"

namespace ts2021::app {

inline constexpr std::size_t max_shown = 8;  // elements of a list

template <class T>
concept Message = requires {
  fields(static_cast<const T*>(nullptr));
};
template <class T>
concept HasText = requires(const T& value) {
  value.text();
};

[[nodiscard]] inline std::string shown(const std::string& text) {
  return text.empty() ? "none" : printable(text);
}
[[nodiscard]] inline std::string shown(bool value) { return value ? "yes" : "no"; }
[[nodiscard]] inline std::string shown(double value) { return std::to_string(value); }
template <class T>
requires(std::integral<T> && !std::same_as<T, bool>) [[nodiscard]] std::string shown(T value) {
  return std::to_string(value);
}
template <class T>
requires std::is_enum_v<T>
[[nodiscard]] std::string shown(T value) { return std::to_string(static_cast<std::uint64_t>(value)); }
template <HasText T>
[[nodiscard]] std::string shown(const T& value) {
  const std::string text(value.text());
  return text.empty() ? "none" : printable(text);
}
template <Message T>
[[nodiscard]] std::string shown(const T& message);
template <class T>
[[nodiscard]] std::string shown(const std::optional<T>& value);
template <class T>
[[nodiscard]] std::string shown(const std::vector<T>& values);
template <class K, class V>
[[nodiscard]] std::string shown(const std::map<K, V>& values);

template <class T>
std::string shown(const std::optional<T>& value) {
  return value ? shown(*value) : "unset";
}

template <class T>
std::string shown(const std::vector<T>& values) {
  if (values.empty()) return "none";
  std::string out;
  for (std::size_t i = 0; i < values.size() && i < max_shown; ++i) {
    if (i > 0) out += ",";
    out += shown(values[i]);
  }
  if (values.size() > max_shown) out += ",... " + std::to_string(values.size()) + " in all";
  return out;
}

template <class K, class V>
std::string shown(const std::map<K, V>& values) {
  if (values.empty()) return "none";
  std::string out;
  std::size_t count = 0;
  for (const auto& [key, value] : values) {
    if (count++ == max_shown) return out + ",... " + std::to_string(values.size()) + " in all";
    if (count > 1) out += ",";
    out += shown(key);
    if (const std::string text = shown(value); text != "none") out += "=" + text;
  }
  return out;
}

template <Message T>
std::string shown(const T& message) {
  std::string out;
  const T plain{};
  std::apply(
      [&](const auto&... field) {
        ((message.*field.member == plain.*field.member
              ? void()
              : void(out += (out.empty() ? "" : " ") + std::string(field.name) + " " +
                            shown(message.*field.member))),
         ...);
      },
      fields(static_cast<const T*>(nullptr)));
  return "{" + out + "}";
}

struct Difference {
  std::string name, before, after;  // "Hostinfo.NetInfo.PreferredDERP"
};

template <Message T>
void add_differences(const std::string& prefix, const T& before, const T& after,
                     std::vector<Difference>& out);

template <class T>
void add_difference(const std::string& name, const T& before, const T& after, std::vector<Difference>& out) {
  if (before == after) return;
  if constexpr (Message<T>)
    add_differences(name + ".", before, after, out);
  else
    out.push_back({name, shown(before), shown(after)});
}
template <Message T>
void add_difference(const std::string& name, const std::optional<T>& before, const std::optional<T>& after,
                    std::vector<Difference>& out) {
  if (before && after)
    add_differences(name + ".", *before, *after, out);
  else if (before || after)
    out.push_back({name, shown(before), shown(after)});
}

template <Message T>
void add_differences(const std::string& prefix, const T& before, const T& after,
                     std::vector<Difference>& out) {
  std::apply(
      [&](const auto&... field) {
        (add_difference(prefix + std::string(field.name), before.*field.member, after.*field.member, out),
         ...);
      },
      fields(static_cast<const T*>(nullptr)));
}

template <Message T>
[[nodiscard]] std::vector<Difference> differences(const T& before, const T& after) {
  std::vector<Difference> out;
  add_differences("", before, after, out);
  return out;
}

}  // namespace ts2021::app
