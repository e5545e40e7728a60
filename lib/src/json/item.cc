// SPDX-License-Identifier: BSD-3-Clause
#include "json/item.h"

#include <algorithm>
#include <set>

namespace ts2021::json {
namespace {

std::string_view name_of(Type type) noexcept {
  switch (type) {
    case Type::null:
      return "null";
    case Type::boolean:
      return "true or false";
    case Type::integer:
    case Type::floating:
      return "a number";
    case Type::string:
      return "text";
    case Type::array:
      return "a list";
    case Type::object:
      return "an object";
  }
  return "something";
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

std::string quoted(std::string_view text) {
  constexpr std::size_t max = 64;
  std::size_t size = std::min(text.size(), max);
  while (size > 0 && size < text.size() && (text[size] & 0xc0) == 0x80) --size;  // whole characters
  std::string out = "\"";
  for (const char c : text.substr(0, size)) out += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c;
  if (size < text.size()) out += "...";
  return out + "\"";
}

bool Item::refuse(std::string message) const {
  if (!refusal_.message.empty()) return false;
  refusal_.message = std::move(message);
  for (const Item* at = this; at->parent_ != nullptr; at = at->parent_) refusal_.path.push_back(at->step_);
  std::reverse(refusal_.path.begin(), refusal_.path.end());
  return false;
}
bool Item::refuse_name(std::string message) const {
  if (refusal_.message.empty()) refusal_.of_name = true;
  return refuse(std::move(message));
}
bool Item::unknown() const { return refuse_name("unknown member " + quoted(name_)); }
bool Item::unsupported(std::string_view why) const {
  return refuse_name(quoted(name_) + " is not supported: " + std::string(why));
}
bool Item::wants(std::string_view what) const {
  return refuse("expected " + std::string(what) + ", found " + std::string(name_of(value_.type())));
}

bool Item::read(std::string_view& out) const { return value_.get(out) || wants("text"); }
bool Item::read(bool& out) const { return value_.get(out) || wants("true or false"); }
bool Item::read(std::uint64_t& out) const { return value_.get(out) || wants("a whole number"); }

bool Item::elements(const std::function<bool(const Item&)>& take) const {
  if (value_.type() != Type::array) return wants("a list");
  ArrayCursor cursor(value_);
  Value value;
  for (std::uint32_t step = 0; cursor.next(value); ++step)
    if (!take(Item(value, *this, step, {}))) return false;
  return true;
}

bool Item::texts(const std::function<bool(std::string_view, const Item&)>& take) const {
  return elements([&take](const Item& item) {
    std::string_view text;
    return item.read(text) && take(text, item);
  });
}

bool Item::members(const std::function<bool(std::string_view, const Item&)>& take) const {
  if (!is_object()) return wants("an object");
  std::set<std::string> seen;
  ObjectCursor cursor(value_);
  Value value;
  std::string_view name;
  for (std::uint32_t step = 0; cursor.next(name, value); ++step) {
    const Item item(value, *this, step, name);
    const auto [at, fresh] = seen.insert(lower(name));
    if (!fresh) return item.refuse_name("member " + quoted(name) + " is there twice");
    if (!value.is_null() && !take(*at, item)) return false;
  }
  return true;
}

bool Item::entries(const std::function<bool(std::string_view, const Item&)>& take) const {
  if (!is_object()) return wants("an object");
  std::set<std::string_view> seen;
  ObjectCursor cursor(value_);
  Value value;
  std::string_view name;
  for (std::uint32_t step = 0; cursor.next(name, value); ++step) {
    const Item item(value, *this, step, name);
    if (!seen.insert(name).second) return item.refuse_name(quoted(name) + " is there twice");
    if (!take(name, item)) return false;
  }
  return true;
}

}  // namespace ts2021::json
