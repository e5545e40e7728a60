// SPDX-License-Identifier: BSD-3-Clause
// The bodies of decode and encode, for the files that end with TS_MESSAGE(Type).
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "json/reader.h"
#include "json/writer.h"
#include "msg/base64.h"
#include "msg/shape.h"
#include "ts2021/key/key.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/primitives.h"

namespace ts2021::codec {

static_assert(decode_padding >= json::padding && max_json_depth == json::max_depth);

// ---- Reading: every function returns false for a value of a wrong type or range.

struct ReadContext {
  std::size_t budget;           // bytes that lists and maps may still take
  std::uint32_t outermost = 0;  // field of the outermost message that is being read, from 1
  std::size_t nesting = 0;      // messages around
  bool over_budget = false;

  [[nodiscard]] bool charge(std::size_t bytes) noexcept {
    if (bytes > budget) over_budget = true;
    if (over_budget) return false;
    budget -= bytes;
    return true;
  }
};

template <class T>
[[nodiscard]] bool read(const json::Value& from, T& out, ReadContext& context);

template <class T>
[[nodiscard]] bool read_parsed(const json::Value& from, T& out) {
  std::string_view text;
  if (!from.get(text)) return false;
  auto parsed = T::parse(text);
  if (!parsed) return false;
  out = *parsed;
  return true;
}

template <std::integral T>
[[nodiscard]] bool read_integer(const json::Value& from, T& out) {
  using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
  Wide wide = 0;
  if (from.type() != json::Type::integer || !from.get(wide) || !std::in_range<T>(wide)) return false;
  out = static_cast<T>(wide);
  return true;
}

template <class K>
[[nodiscard]] bool read_map_key(std::string_view text, K& out) {
  if constexpr (std::same_as<K, std::string>) {
    out = text;
    return true;
  } else if constexpr (std::is_enum_v<K>) {
    std::underlying_type_t<K> number{};
    if (!read_map_key(text, number)) return false;
    out = K{number};
    return true;
  } else {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
  }
}

[[nodiscard]] constexpr char fold(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] constexpr bool same_folded(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (fold(a[i]) != fold(b[i])) return false;
  return true;
}

template <Message T>
struct Table {
  static constexpr auto entries = fields(static_cast<const T*>(nullptr));
  static constexpr std::size_t count = std::tuple_size_v<decltype(entries)>;
  using ReadMember = bool (*)(const json::Value&, T&, ReadContext&);

  static constexpr auto names = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<std::string_view, count>{std::get<I>(entries).name...};
  }
  (std::make_index_sequence<count>{});
  static constexpr auto readers = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<ReadMember, count>{[](const json::Value& from, T& out, ReadContext& context) {
      return read(from, out.*std::get<I>(entries).member, context);
    }...};
  }
  (std::make_index_sequence<count>{});

  // API-62: the exact name first, then without regard to case. `hint` is where the last one was: Go writes in
  // the order of the table. `count` when there is none.
  [[nodiscard]] static std::size_t find(std::string_view name, std::size_t hint) noexcept {
    for (std::size_t i = hint; i < count; ++i)
      if (names[i] == name) return i;
    for (std::size_t i = 0; i < hint; ++i)
      if (names[i] == name) return i;
    for (std::size_t i = 0; i < count; ++i)
      if (same_folded(names[i], name)) return i;
    return count;
  }
};

// Behind those that are already there; the object is not closed.
inline void append_member(std::string_view name, const json::Value& item, std::string& object) {
  object += object.empty() ? '{' : ',';
  json::Writer writer(object);
  writer.name(name);
  json::write(item, writer);
}

template <Message T>
[[nodiscard]] bool read_message(const json::Value& from, T& out, ReadContext& context) {
  if (from.type() != json::Type::object) return false;
  json::ObjectCursor members(from);
  std::string_view name;
  std::size_t hint = 0;
  [[maybe_unused]] std::string extra;
  ++context.nesting;
  for (json::Value item; members.next(name, item);) {
    const std::size_t at = Table<T>::find(name, hint);
    if (at == Table<T>::count) {
      if constexpr (KeepsExtra<T>) append_member(name, item, extra);  // TEST-30
      continue;
    }
    hint = at + 1;
    if (context.nesting == 1) context.outermost = static_cast<std::uint32_t>(at + 1);
    if (!Table<T>::readers[at](item, out, context)) return false;
  }
  --context.nesting;
  if constexpr (KeepsRaw<T>) {
    out.raw = RawJson::trusted(json::written(from));
  }
  if constexpr (KeepsExtra<T>) {
    if (!extra.empty()) out.extra = RawJson::trusted(std::move(extra += '}'));
  }
  return true;
}

template <class T>
[[nodiscard]] bool read_list(const json::Value& from, std::vector<T>& out, ReadContext& context) {
  if (from.type() != json::Type::array) return false;
  json::ArrayCursor items(from);
  if (!context.charge(items.count() * sizeof(T))) return false;
  out.clear();
  out.reserve(items.count());
  for (json::Value item; items.next(item);) {
    if (out.size() >= items.count() && !context.charge(2 * sizeof(T))) return false;
    if constexpr (std::same_as<T, RawJson>) {
      out.push_back(RawJson::trusted(json::written(item)));
    } else {
      if (!read(item, out.emplace_back(), context)) return false;
    }
  }
  return true;
}

template <class K, class V>
[[nodiscard]] bool read_map(const json::Value& from, std::map<K, V>& out, ReadContext& context) {
  if (from.type() != json::Type::object) return false;
  out.clear();
  json::ObjectCursor members(from);
  std::string_view name;
  for (json::Value item; members.next(name, item);) {
    K key{};
    if (!read_map_key(name, key)) return false;
    if (!context.charge(sizeof(std::pair<const K, V>) + 4 * sizeof(void*))) return false;
    V& value = out[std::move(key)];
    if constexpr (std::same_as<V, RawJson>) {
      value = RawJson::trusted(json::written(item));
    } else {
      if (!read(item, value, context)) return false;
    }
  }
  return true;
}

template <class T>
bool read(const json::Value& from, T& out, ReadContext& context) {
  if (from.is_null()) {  // API-63
    out = T{};
    return true;
  }
  if constexpr (is_optional<T>) {
    return read(from, out.emplace(), context);
  } else if constexpr (is_vector<T>) {
    return read_list(from, out, context);
  } else if constexpr (is_map<T>) {
    return read_map(from, out, context);
  } else if constexpr (Message<T>) {
    return read_message(from, out, context);
  } else if constexpr (std::same_as<T, bool>) {
    return from.get(out);
  } else if constexpr (std::integral<T>) {
    return read_integer(from, out);
  } else if constexpr (std::is_enum_v<T>) {
    std::underlying_type_t<T> number{};
    if (!read_integer(from, number)) return false;
    out = T{number};
    return true;
  } else if constexpr (std::same_as<T, double>) {
    return from.get(out);
  } else if constexpr (std::same_as<T, std::string>) {
    std::string_view text;
    if (!from.get(text)) return false;
    out = text;
    return true;
  } else if constexpr (std::same_as<T, Blob>) {
    std::string_view text;
    return from.get(text) && parse_base64(text, out.bytes);
  } else if constexpr (std::same_as<T, RawJson>) {
    out = RawJson::trusted(json::written(from));
    return true;
  } else if constexpr (std::same_as<T, IpAddress>) {
    std::string_view text;  // the empty text is "none", as Go reads it
    if (from.get(text) && text.empty()) {
      out = IpAddress{};
      return true;
    }
    return read_parsed(from, out);
  } else {
    return read_parsed(from, out);
  }
}

template <class T>
[[nodiscard]] Result<T> decode_parsed(const Result<json::Value>& root, std::size_t size) {
  Result<T> out = T{};  // filled where it stays: messages are large
  ReadContext context{.budget = 32 * size + (std::size_t{1} << 20)};
  if (!root)
    out = root.error();
  else if (!read(*root, *out, context))
    out = context.over_budget ? fail(Errc::limit_exceeded, 800, context.outermost)
                              : fail(Errc::bad_json, 801, context.outermost);
  return out;
}

// ---- Writing

template <class T>
[[nodiscard]] bool is_empty(const T& value) {
  if constexpr (is_optional<T>) {
    return !value.has_value();
  } else if constexpr (requires { value.empty(); }) {
    return value.empty();
  } else if constexpr (requires { value.is_zero(); }) {
    return value.is_zero();
  } else if constexpr (requires { value.is_none(); }) {
    return value.is_none();
  } else if constexpr (Message<T>) {
    return value == T{};
  } else {
    return value == T{};
  }
}

// Whether a client can read it. An element for which this is false would cost the whole message (API-64).
template <class T>
[[nodiscard]] bool is_writable(const T& value, Capability viewer) {
  if constexpr (is_optional<T>) {
    return !value || is_writable(*value, viewer);
  } else if constexpr (Message<T> && requires { valid(value, viewer); }) {
    return valid(value, viewer);
  } else if constexpr (Message<T> && requires { valid(value); }) {
    return valid(value);
  } else if constexpr (std::same_as<T, IpPort>) {
    return !value.is_none() && !value.address.has_zone();
  } else if constexpr (std::same_as<T, IpAddress> || std::same_as<T, IpPrefix>) {
    return !value.is_none();
  } else {
    return true;
  }
}

// A list or map of which nothing would be left: to Rust an empty list of peers means "no peers".
template <class T>
[[nodiscard]] bool nothing_writable(const T& value, Capability viewer) {
  if constexpr (is_vector<T>) {
    return std::none_of(value.begin(), value.end(),
                        [&](const auto& item) { return is_writable(item, viewer); });
  } else if constexpr (is_map<T>) {
    return std::none_of(value.begin(), value.end(),
                        [&](const auto& pair) { return is_writable(pair.second, viewer); });
  } else {
    return false;
  }
}

[[nodiscard]] inline bool is_absolute_url(std::string_view text) noexcept {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0 || scheme + 3 == text.size()) return false;
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\\' || c == '\x7f') return false;
  return true;
}

// The name of a field as it stands in JSON, quotes and colon included.
template <class Field>
inline constexpr auto quoted_name = [] {
  std::array<char, Field::name.size() + 3> text{};
  text.front() = '"';
  std::copy(Field::name.begin(), Field::name.end(), text.begin() + 1);
  text[text.size() - 2] = '"';
  text.back() = ':';
  return text;
}();

[[nodiscard]] inline bool needs_escapes(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; });
}

// API-65: names as Rust can borrow them, without anything that needs an escape.
[[nodiscard]] inline std::string without_escapes(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    if (c == '"') c = '\'';
    if (c == '\\') c = '/';
  }
  return out;
}

template <class T>
void write(const T& value, Capability viewer, json::Writer& writer);

template <Message T>
void write_message(const T& message, Capability viewer, json::Writer& writer) {
  writer.begin_object();
  std::apply(
      [&](const auto&... entry) {
        [[maybe_unused]] const auto member = [&](const auto& field) {
          const auto& value = message.*field.member;
          if (viewer < field.since || (field.until != any_capability && viewer >= field.until)) return;
          if constexpr (is_optional<std::remove_cvref_t<decltype(value)>>) {
            if (!value) return;
          } else {
            if (field.omit_empty && (is_empty(value) || nothing_writable(value, viewer))) return;
          }
          if constexpr (Message<std::remove_cvref_t<decltype(value)>> ||
                        is_optional<std::remove_cvref_t<decltype(value)>>) {
            if (!is_writable(value, viewer)) return;
          }
          if constexpr (std::same_as<std::remove_cvref_t<decltype(value)>, std::string>) {
            if (field.absolute_url && !is_absolute_url(value)) return;
            if (field.plain && needs_escapes(value)) {
              writer.quoted_name(quoted_name<std::remove_cvref_t<decltype(field)>>);
              return writer.string(without_escapes(value));
            }
          }
          writer.quoted_name(quoted_name<std::remove_cvref_t<decltype(field)>>);
          write(value, viewer, writer);
        };
        (member(entry), ...);
      },
      Table<T>::entries);
  if constexpr (KeepsExtra<T>) {
    const std::string_view object = message.extra.text();
    if (object.size() > 2) writer.raw(object.substr(1, object.size() - 2));
  }
  writer.end_object();
}

template <class K>
void write_map_key(const K& key, json::Writer& writer) {
  if constexpr (std::same_as<K, std::string>) {
    writer.name(key);
  } else if constexpr (std::is_enum_v<K>) {
    write_map_key(static_cast<std::underlying_type_t<K>>(key), writer);
  } else {
    std::array<char, 24> text;
    writer.name({text.data(), std::to_chars(text.data(), text.data() + text.size(), key).ptr});
  }
}

// API-64: never null for a list, a map or text; null only as a value inside a map.
template <class T>
void write(const T& value, Capability viewer, json::Writer& writer) {
  if constexpr (is_optional<T>) {
    if (value) {
      write(*value, viewer, writer);
    } else {
      writer.null();
    }
  } else if constexpr (is_vector<T>) {
    writer.begin_array();
    for (const auto& item : value)
      if (is_writable(item, viewer)) write(item, viewer, writer);
    writer.end_array();
  } else if constexpr (is_map<T>) {
    writer.begin_object();
    for (const auto& [key, item] : value) {
      if (!is_writable(item, viewer)) continue;
      write_map_key(key, writer);
      write(item, viewer, writer);
    }
    writer.end_object();
  } else if constexpr (Message<T>) {
    write_message(value, viewer, writer);
  } else if constexpr (std::same_as<T, bool>) {
    writer.boolean(value);
  } else if constexpr (std::signed_integral<T>) {
    writer.integer(std::int64_t{value});
  } else if constexpr (std::unsigned_integral<T>) {
    writer.integer(std::uint64_t{value});
  } else if constexpr (std::is_enum_v<T>) {
    write(static_cast<std::underlying_type_t<T>>(value), viewer, writer);
  } else if constexpr (std::same_as<T, double>) {
    writer.floating(value);
  } else if constexpr (std::same_as<T, std::string>) {
    writer.string(value);
  } else if constexpr (std::same_as<T, Blob>) {
    std::string text;
    append_base64(value.bytes, text);
    writer.string(text);
  } else if constexpr (std::same_as<T, RawJson>) {
    if (value.empty()) {
      writer.null();
    } else {
      writer.raw(value.text());
    }
  } else if constexpr (std::same_as<T, IpPrefix>) {
    writer.text(value.is_host() ? value
                                : value.masked());  // API-66: set host bits would cost the whole filter
  } else if constexpr (json::ShortText<T>) {
    writer.text(value);
  } else {
    writer.string(value.text());
  }
}

}  // namespace ts2021::codec

namespace ts2021 {

template <class T>
Result<T> decode(Bytes json) {
  json::Document document;
  return codec::decode_parsed<T>(document.parse(json), json.size());
}

template <class T>
Result<T> decode_copy(Bytes json) {
  json::Document document;
  return codec::decode_parsed<T>(document.parse_copy(json), json.size());
}

template <class T>
void encode(const T& message, Capability viewer, std::string& out) {
  json::Writer writer(out);
  codec::write_message(message, viewer, writer);
}

// clang-format off
#define TS_MESSAGE_READ(Type)                             \
  template Result<Type> decode<Type>(Bytes json);         \
  template Result<Type> decode_copy<Type>(Bytes json)
#define TS_MESSAGE(Type)                                  \
  TS_MESSAGE_READ(Type);                                  \
  template void encode<Type>(const Type& message, Capability viewer, std::string& out)
// clang-format on

}  // namespace ts2021
