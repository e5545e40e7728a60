// SPDX-License-Identifier: BSD-3-Clause
#include "admin/members.h"

#include <algorithm>

#include "admin/duration.h"

namespace ts2021::admin {

Members::Members(json::Document& document, std::string_view body) {
  if (body.empty()) return;
  const auto value = document.parse_copy(as_bytes(body));
  if (!value)
    error_ = "the body is not JSON";
  else if (value->type() != json::Type::object)
    error_ = "the body is not an object";
  else
    read(*value);
}

Members::Members(const json::Value& object, std::string_view where) : where_(where) {
  if (object.type() == json::Type::object) {
    where_ += '.';
    read(object);
  } else {
    refuse("", "must be an object");
  }
}

void Members::read(const json::Value& object) {
  json::ObjectCursor cursor(object);
  Member member;
  while (cursor.next(member.name, member.value)) {
    if (find(member.name)) refuse(member.name, "is there twice");
    members_.push_back({member.name, member.value});
  }
}

const json::Value* Members::find(std::string_view name) {
  const auto at = std::find_if(members_.begin(), members_.end(), [name](auto& m) { return m.name == name; });
  if (at == members_.end()) return nullptr;
  at->known = true;
  return &at->value;
}

bool Members::take(std::string_view name, bool& out) {
  const json::Value* value = find(name);
  if (!value) return false;
  if (value->get(out)) return true;
  refuse(name, "must be true or false");
  return false;
}

bool Members::take(std::string_view name, std::optional<bool>& out) {
  const json::Value* value = find(name);
  if (!value) return false;
  bool flag = false;
  if (value->is_null())
    out.reset();
  else if (value->get(flag))
    out = flag;
  else
    refuse(name, "must be true, false or null");
  return error_.empty();
}

bool Members::take(std::string_view name, std::string& out) {
  const json::Value* value = find(name);
  if (!value) return false;
  std::string_view text;
  if (!value->get(text)) {
    refuse(name, "must be a text");
    return false;
  }
  out = text;
  return true;
}

bool Members::take(std::string_view name, std::int64_t& out) {
  const json::Value* value = find(name);
  if (!value) return false;
  if (value->get(out)) return true;
  refuse(name, "must be a whole number");
  return false;
}

bool Members::take(std::string_view name, Instant::duration& out) {
  const json::Value* value = find(name);
  if (!value) return false;
  std::string_view text;
  const auto parsed = value->get(text) ? parse_duration(text) : std::nullopt;
  if (!parsed) {
    refuse(name, "must be a duration like 5s");
    return false;
  }
  out = *parsed;
  return true;
}

bool Members::take(std::string_view name, NodePublic& out) {
  const json::Value* value = find(name);
  if (!value) return false;
  std::string_view text;
  if (value->get(text))
    if (const auto key = NodePublic::parse(text)) {
      out = *key;
      return true;
    }
  refuse(name, "must be a node key");
  return false;
}

bool Members::take(std::string_view name, std::vector<std::string>& out) {
  const json::Value* value = find(name);
  if (!value) return false;
  auto list = text_list(*value);
  if (!list) {
    refuse(name, "must be a list of texts");
    return false;
  }
  out = std::move(*list);
  return true;
}

bool Members::take(std::string_view name, json::Value& out) {
  const json::Value* value = find(name);
  if (value) out = *value;
  return value != nullptr;
}

void Members::refuse(std::string_view name, std::string_view why) {
  if (!error_.empty()) return;
  error_.append("\"").append(where_).append(name).append("\" ").append(why);
}

void Members::require(std::string_view name) {
  if (!find(name)) refuse(name, "is missing");
}

std::string Members::finish() {
  for (const Member& member : members_)
    if (!member.known) refuse(member.name, "is not a known member");
  return error_;
}

std::optional<std::vector<std::string>> text_list(const json::Value& value) {
  if (value.type() != json::Type::array) return std::nullopt;
  std::vector<std::string> out;
  json::ArrayCursor cursor(value);
  for (json::Value item; cursor.next(item);) {
    std::string_view text;
    if (!item.get(text)) return std::nullopt;
    out.emplace_back(text);
  }
  return out;
}

}  // namespace ts2021::admin
