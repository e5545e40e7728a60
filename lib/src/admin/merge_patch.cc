// SPDX-License-Identifier: BSD-3-Clause
#include "admin/merge_patch.h"

#include <map>
#include <string_view>
#include <vector>

#include "json/writer.h"

namespace ts2021::admin {
namespace {

// Null target: there is none. As deep as the parser lets texts be.
void merge(const json::Value* target, const json::Value& patch, json::Writer& out) {
  if (patch.type() != json::Type::object) return json::write(patch, out);
  std::map<std::string_view, json::Value> changes;  // of a repeated name the last counts
  std::vector<std::string_view> order;
  std::string_view name;
  json::Value value;
  for (json::ObjectCursor cursor(patch); cursor.next(name, value);)
    if (changes.insert_or_assign(name, value).second) order.push_back(name);
  out.begin_object();
  if (target && target->type() == json::Type::object)
    for (json::ObjectCursor cursor(*target); cursor.next(name, value);) {
      const auto change = changes.find(name);
      if (change != changes.end() && change->second.is_null()) continue;
      out.name(name);
      change == changes.end() ? json::write(value, out) : merge(&value, change->second, out);
      if (change != changes.end()) changes.erase(change);
    }
  for (const std::string_view added : order) {
    const auto change = changes.find(added);
    if (change == changes.end() || change->second.is_null()) continue;
    out.name(added);
    merge(nullptr, change->second, out);
  }
  out.end_object();
}

}  // namespace

std::string merge_patch(const json::Value& target, const json::Value& patch) {
  std::string out;
  json::Writer writer(out);
  merge(&target, patch, writer);
  writer.flush();
  return out;
}

}  // namespace ts2021::admin
