// SPDX-License-Identifier: BSD-3-Clause
// JSON texts that mean the same to a client become the same text: for comparing what came with what we write.
#pragma once

#include <cctype>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "json/reader.h"
#include "json/writer.h"

namespace ts2021::test {

// Members whose own members are data, where null and [] differ from absent.
inline bool is_data(std::string_view name) {
  static const std::set<std::string_view> names{"capmap",          "routes",       "packetfilters",
                                                "displaymessages", "onlinechange", "sshusers",
                                                "peerseenchange",  "regionscore"};
  return names.contains(name);
}
// Lists that mean something when empty.
inline bool tells_empty(std::string_view name) {
  static const std::set<std::string_view> names{"allowedips", "packetfilter",    "health",
                                                "rules",      "candidates",      "exit",
                                                "online",     "collectservices", "defaultautoupdate"};
  return names.contains(name);
}

inline std::string canonical(json::Value value, bool data);

// Sorted, folded names; members that say nothing are left out.
inline std::string canonical_object(json::Value value, bool data) {
  std::map<std::string, std::string> members;
  json::ObjectCursor cursor(value);
  std::string_view name;
  for (json::Value item; cursor.next(name, item);) {
    std::string folded(name);
    if (!data)
      for (char& c : folded) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    std::string text = canonical(item, is_data(folded));
    if (text == "null" && data) text = "[]";
    const bool optional_bool = text == "false" && item.type() == json::Type::boolean;
    const bool empty =
        text == "null" || text == "0" || text == "\"\"" || text == "[]" || text == "{}" || optional_bool ||
        text == "\"0001-01-01T00:00:00Z\"" ||
        text.find(":0000000000000000000000000000000000000000000000000000000000000000\"") != std::string::npos;
    if (!data && empty && !(tells_empty(folded) && text != "null")) continue;
    members[folded] = text;
  }
  std::string out = "{";
  for (const auto& [key, text] : members) out += (out.size() > 1 ? ",\"" : "\"") + key + "\":" + text;
  return out + "}";
}

inline std::string canonical(json::Value value, bool data) {
  if (value.type() == json::Type::object) return canonical_object(value, data);
  if (value.type() == json::Type::array) {
    std::string out = "[";
    json::ArrayCursor items(value);
    for (json::Value item; items.next(item);) out += (out.size() > 1 ? "," : "") + canonical(item, false);
    return out + "]";
  }
  std::string_view text;
  std::string out;
  json::Writer writer(out);
  if (value.get(text) && text.size() > 23 && text[10] == 'T' && text[19] == '.' && text.ends_with('Z')) {
    std::string cut(text.substr(0, 23));  // we keep milliseconds
    while (cut.back() == '0') cut.pop_back();
    if (cut.back() == '.') cut.pop_back();
    writer.string(cut + "Z");
  } else if (double number = 0; value.get(number)) {
    writer.floating(number);
  } else {
    json::write(value, writer);
  }
  writer.flush();
  return out;
}

inline std::string canonical(std::string_view text) {
  json::Document document;
  auto value = document.parse_copy(as_bytes(text));
  if (!value) throw std::runtime_error("not JSON: " + std::string(text));
  return canonical(*value, false);
}

}  // namespace ts2021::test
