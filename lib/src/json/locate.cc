// SPDX-License-Identifier: BSD-3-Clause
#include "json/locate.h"

#include <algorithm>
#include <string_view>

#include <simdjson.h>

namespace ts2021::json {
namespace {

namespace od = simdjson::ondemand;

std::size_t offset(Bytes text, const void* at) noexcept {
  const auto* byte = static_cast<const std::uint8_t*>(at);
  return byte < text.data() ? 0 : std::min(static_cast<std::size_t>(byte - text.data()), text.size());
}

// What the step leads to; `name` is where the member's name stands, null for elements.
bool follow(od::value& value, std::uint32_t step, const char*& name) noexcept {
  name = nullptr;
  od::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  if (type == od::json_type::object) {
    od::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return false;
    for (auto member : object) {
      if (step-- != 0) continue;
      od::raw_json_string key;
      if (member.key().get(key) != simdjson::SUCCESS) return false;
      name = key.raw() - 1;  // at its quote
      return member.value().get(value) == simdjson::SUCCESS;
    }
  } else if (type == od::json_type::array) {
    od::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return false;
    for (auto item : array)
      if (step-- == 0) return item.get(value) == simdjson::SUCCESS;
  }
  return false;
}

// Reads everything; false at the first thing that can't be read.
bool walk(od::value value, std::size_t depth) noexcept {
  if (depth == 0) return false;
  od::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  switch (type) {
    case od::json_type::object: {
      od::object object;
      if (value.get_object().get(object) != simdjson::SUCCESS) return false;
      for (auto member : object) {
        std::string_view key;
        od::value inner;
        if (member.unescaped_key().get(key) != simdjson::SUCCESS ||
            member.value().get(inner) != simdjson::SUCCESS || !walk(inner, depth - 1))
          return false;
      }
      return true;
    }
    case od::json_type::array: {
      od::array array;
      if (value.get_array().get(array) != simdjson::SUCCESS) return false;
      for (auto item : array) {
        od::value inner;
        if (item.get(inner) != simdjson::SUCCESS || !walk(inner, depth - 1)) return false;
      }
      return true;
    }
    case od::json_type::number: {
      double number{};
      return value.get_double().get(number) == simdjson::SUCCESS;
    }
    case od::json_type::string: {
      std::string_view text;
      return value.get_string().get(text) == simdjson::SUCCESS;
    }
    case od::json_type::boolean: {
      bool truth{};
      return value.get_bool().get(truth) == simdjson::SUCCESS;
    }
    case od::json_type::null: {
      bool null{};
      return value.is_null().get(null) == simdjson::SUCCESS && null;
    }
  }
  return false;
}

// The start of the first line that is not UTF-8; none: the size.
std::size_t bad_line(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    if (!simdjson::validate_utf8(text.substr(at, end - at))) return at;
    at = end;
  }
  return text.size();
}

}  // namespace

std::size_t locate(Bytes text, std::span<const std::uint32_t> path, bool of_name) noexcept {
  od::parser parser;
  od::document document;
  if (parser.iterate(text.data(), text.size(), text.size() + padding).get(document) != simdjson::SUCCESS)
    return 0;
  od::value value;
  if (document.get_value().get(value) != simdjson::SUCCESS) return 0;
  const char* name = nullptr;
  for (const std::uint32_t step : path)
    if (!follow(value, step, name)) return 0;
  if (of_name && name != nullptr) return offset(text, name);
  return offset(text, value.raw_json_token().data());
}

std::size_t broken_at(Bytes text) noexcept {
  const std::size_t line = bad_line(as_text(text));
  if (line != text.size()) return line;
  od::parser parser;
  od::document document;
  if (parser.iterate(text.data(), text.size(), text.size() + padding).get(document) != simdjson::SUCCESS)
    return text.size();
  od::value value;
  if (document.get_value().get(value) == simdjson::SUCCESS) (void)walk(value, max_depth);
  const char* at = nullptr;  // behind all that was read; none at the end
  return document.current_location().get(at) == simdjson::SUCCESS ? offset(text, at) : text.size();
}

Place place_of(std::string_view text, std::size_t offset) noexcept {
  Place out;
  for (const char c : text.substr(0, offset)) {
    ++out.column;
    if (c != '\n') continue;
    ++out.line;
    out.column = 1;
  }
  return out;
}

}  // namespace ts2021::json
