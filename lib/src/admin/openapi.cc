// SPDX-License-Identifier: BSD-3-Clause
// The description of the admin API: OpenAPI 3.1, made from the table of calls.
#include <algorithm>
#include <string>
#include <vector>

#include "admin/calls.h"
#include "admin/reply.h"
#include "admin/schemas.h"

namespace ts2021::admin {
namespace {

constexpr std::string_view media = "application/json";

// What stands in the n-th hole of a pattern, named by what stands before it.
std::string hole_name(std::string_view before, std::size_t number) {
  before = before.substr(0, before.size() - 1);
  const std::string_view segment = before.substr(before.rfind('/') + 1);
  if (segment == "nodes") return "key";
  if (segment == "jailed") return "peer";
  if (segment == "calls") return "call";
  if (segment == "holds" || segment == "streams" || before == "/admin/c2n") return "id";
  return "segment" + std::to_string(number);
}

// "/admin/nodes/{}" as "/admin/nodes/{key}", and the names in it.
std::string named_path(std::string_view pattern, std::vector<std::string>& names) {
  std::string out;
  for (std::size_t at = 0, hole = 0; at < pattern.size(); at = hole + 2) {
    hole = std::min(pattern.find("{}", at), pattern.size());
    out += pattern.substr(at, hole - at);
    if (hole == pattern.size()) break;
    names.push_back(hole_name(pattern.substr(0, hole), names.size()));
    out += "{" + names.back() + "}";
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string operation_id(const Row& row) {
  std::string out = lower(text(row.method));
  std::vector<std::string> names;
  const std::size_t second = std::min(row.pattern.find('/', 1), row.pattern.size());
  for (const char c : named_path(row.pattern.substr(second), names))
    if (c != '{' && c != '}') out += c == '/' || c == '-' || c == '.' ? '_' : c;
  return out;
}

void write_parameter(std::string_view name, std::string_view in, json::Writer& out) {
  out.begin_object();
  text_member(out, "name", name);
  text_member(out, "in", in);
  flag_member(out, "required", in == "path");
  out.plain_name("schema");
  const bool number = name == "after" || name == "count" || name == "call";
  write_type(name == "push" ? "boolean" : number ? "integer" : "string", out);
  out.end_object();
}

void write_content(std::string_view schema, json::Writer& out) {
  out.plain_name("content");
  out.begin_object();
  out.plain_name(schema == "Raw" ? "*/*" : schema == "Html" ? "text/html" : media);
  out.begin_object();
  out.plain_name("schema");
  write_type("#" + std::string(schema), out);
  out.end_object();
  out.end_object();
}

void write_response(std::string_view status, std::string_view description, std::string_view schema,
                    json::Writer& out) {
  out.plain_name(status);
  out.begin_object();
  text_member(out, "description", description);
  if (!schema.empty()) write_content(schema, out);
  out.end_object();
}

void write_operation(const Row& row, const std::vector<std::string>& holes, json::Writer& out) {
  out.plain_name(lower(text(row.method)));
  out.begin_object();
  text_member(out, "operationId", operation_id(row));
  text_member(out, "summary", row.summary);
  out.plain_name("parameters");
  out.begin_array();
  for (const std::string& name : holes) write_parameter(name, "path", out);
  for (std::string_view rest = row.query; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find(' '));
    write_parameter(name, "query", out);
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
  }
  out.end_array();
  if (!row.request.empty()) {
    out.plain_name("requestBody");
    out.begin_object();
    write_content(row.request, out);
    out.end_object();
  }
  out.plain_name("responses");
  out.begin_object();
  if (!row.response.empty()) write_response(std::to_string(row.status), "Done", row.response, out);
  if (row.response.empty() || row.query.find("timeout") != row.query.npos)
    write_response("204", row.response.empty() ? "Done" : "Not yet", "", out);
  write_response("default", "What was wrong", "Error", out);
  out.end_object();
  out.end_object();
}

}  // namespace

std::string Desk::openapi() {
  return json_object([](json::Writer& out) {
    text_member(out, "openapi", "3.1.0");
    out.plain_name("info");
    out.begin_object();
    text_member(out, "title", "ts2021 admin API");
    text_member(out, "version", "1");
    out.end_object();
    out.plain_name("paths");
    out.begin_object();
    const auto table = rows();
    for (auto row = table.begin(); row != table.end(); ++row) {
      const auto same = [row](const Row& other) { return other.pattern == row->pattern; };
      if (std::any_of(table.begin(), row, same)) continue;
      std::vector<std::string> holes;
      out.name(named_path(row->pattern, holes));
      out.begin_object();
      for (const Row& other : table)
        if (same(other)) write_operation(other, holes, out);
      out.end_object();
    }
    out.end_object();
    out.plain_name("components");
    out.begin_object();
    out.plain_name("schemas");
    out.begin_object();
    for (const Schema& schema : schemas()) {
      out.plain_name(schema.name);
      write_schema(schema, out);
    }
    out.end_object();
    out.end_object();
  });
}

}  // namespace ts2021::admin
