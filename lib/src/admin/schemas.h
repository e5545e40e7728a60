// SPDX-License-Identifier: BSD-3-Clause
// What bodies and answers look like, for the description.
#pragma once

#include <span>
#include <string_view>

#include "json/writer.h"

namespace ts2021::admin {

// "boolean", "integer", "string", "object", "any"; "[…]" is a list of it, "{…}" an object with such members,
// "?…" also takes null, "#…" is another schema.
using SchemaType = std::string_view;

struct SchemaMember {
  std::string_view name;
  SchemaType type;
  bool required = false;
};
// An object with these members and no others, or, without members, whatever `type` says.
struct Schema {
  std::string_view name;
  std::span<const SchemaMember> members;
  SchemaType type{};
};

[[nodiscard]] std::span<const Schema> schemas() noexcept;
[[nodiscard]] const Schema* find_schema(std::string_view name) noexcept;

void write_type(SchemaType type, json::Writer& out);
void write_schema(const Schema& schema, json::Writer& out);

}  // namespace ts2021::admin
