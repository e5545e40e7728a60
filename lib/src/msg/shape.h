// SPDX-License-Identifier: BSD-3-Clause
// What kind of member a type is.
#pragma once

#include <concepts>
#include <map>
#include <optional>
#include <vector>

#include "ts2021/msg/primitives.h"

namespace ts2021::codec {

template <class T>
concept Message = requires {
  fields(static_cast<const T*>(nullptr));
};

// Gets the whole object beside its typed members.
template <class T>
concept KeepsRaw = requires(T message) {
  { message.raw } -> std::same_as<RawJson&>;
};

// Gets the members that its table does not have, and writes them again.
template <class T>
concept KeepsExtra = requires(T message) {
  { message.extra } -> std::same_as<RawJson&>;
};

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class K, class V>
inline constexpr bool is_map<std::map<K, V>> = true;

}  // namespace ts2021::codec
