// SPDX-License-Identifier: BSD-3-Clause
// What a call of the admin API is answered with.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/writer.h"
#include "ts2021/admin/desk.h"

namespace ts2021::admin {

struct Reply {
  int status = 204;
  std::string body{};
  std::string content_type{};
  std::vector<Header> headers{};
  std::function<void()> unread{};  // when its client has gone before the answer was taken
};
// None: the answer comes later.
using Outcome = std::optional<Reply>;

// An object whose members `fill` writes.
template <class Fill>
[[nodiscard]] std::string json_object(Fill fill) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  fill(writer);
  writer.end_object();
  writer.flush();
  return out;
}

[[nodiscard]] inline Reply json_reply(std::string json, int status = 200) {
  return {status, std::move(json), "application/json", {}, {}};
}
template <class Fill>
[[nodiscard]] Reply object_reply(Fill fill, int status = 200) {
  return json_reply(json_object(std::move(fill)), status);
}
[[nodiscard]] inline Reply error_reply(int status, std::string_view text) {
  return object_reply(
      [text](json::Writer& out) {
        out.plain_name("error");
        out.string(text);
      },
      status);
}
[[nodiscard]] inline Reply flag_reply(std::string_view name, bool value) {
  return object_reply([=](json::Writer& out) {
    out.plain_name(name);
    out.boolean(value);
  });
}

inline void text_member(json::Writer& out, std::string_view name, std::string_view value) {
  out.plain_name(name);
  out.string(value);
}
inline void number_member(json::Writer& out, std::string_view name, std::uint64_t value) {
  out.plain_name(name);
  out.integer(value);
}
inline void flag_member(json::Writer& out, std::string_view name, bool value) {
  out.plain_name(name);
  out.boolean(value);
}
inline void json_member(json::Writer& out, std::string_view name, std::string_view json) {
  out.plain_name(name);
  out.raw(json.empty() ? "null" : json);
}

}  // namespace ts2021::admin
