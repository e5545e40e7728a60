// SPDX-License-Identifier: BSD-3-Clause
#include "admin/body.h"

#include "json/writer.h"

namespace ts2021::admin {

std::string check_object(std::string_view body) {
  json::Document document;
  const auto value = document.parse_copy(as_bytes(body));
  if (!value) return "the body is not JSON";
  return value->type() == json::Type::object ? "" : "the body is not an object";
}

bool read_cap_map(const json::Value& value, CapMap& out) {
  if (value.type() != json::Type::object) return false;
  json::ObjectCursor members(value);
  std::string_view name;
  for (json::Value member; members.next(name, member);) {
    std::vector<RawJson>& values = out[std::string(name)];
    if (member.is_null()) continue;
    if (member.type() != json::Type::array) return false;
    json::ArrayCursor items(member);
    for (json::Value item; items.next(item);) values.push_back(RawJson::trusted(json::written(item)));
  }
  return true;
}

}  // namespace ts2021::admin
