// SPDX-License-Identifier: BSD-3-Clause
#include "admin/schemas.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace ts2021::admin {
namespace {

constexpr SchemaMember error[] = {{"error", "string", true}};
constexpr SchemaMember ok[] = {{"ok", "boolean", true}};
constexpr SchemaMember enqueued[] = {{"enqueued", "boolean", true}};
constexpr SchemaMember id[] = {{"id", "string", true}};
constexpr SchemaMember keys[] = {{"keys", "[string]", true}};
constexpr SchemaMember config[] = {{"verbose", "boolean"},         {"requireAuth", "boolean"},
                                   {"requireAuthKey", "string"},   {"requireMachineAuth", "boolean"},
                                   {"magicDNSDomain", "string"},   {"setDNSError", "string"},
                                   {"peerRelayGrants", "boolean"}, {"allNodesSameUser", "boolean"},
                                   {"allOnline", "boolean"},       {"collectServices", "?boolean"},
                                   {"baseURL", "string"},          {"expireAll", "boolean"}};
constexpr SchemaMember stats[] = {{"inServeMap", "integer", true}, {"unhandled", "integer", true}};
constexpr SchemaMember masquerade[] = {
    {"node", "string", true}, {"peer", "string", true}, {"address", "string", true}};
constexpr SchemaMember register_limit[] = {
    {"count", "integer", true}, {"retryAfter", "string"}, {"message", "string"}};
constexpr SchemaMember alt_map[] = {{"enabled", "boolean", true}};
constexpr SchemaMember fake_nodes[] = {{"count", "integer"}};
constexpr SchemaMember approval[] = {{"url", "string"}};
constexpr SchemaMember flag[] = {{"value", "boolean", true}};
constexpr SchemaMember jailed[] = {{"jailed", "boolean", true}};
constexpr SchemaMember complete_auth[] = {
    {"url", "string", true}, {"error", "string"}, {"loginName", "string"}};
constexpr SchemaMember c2n[] = {{"method", "string"}, {"path", "string", true}, {"headers", "{[string]}"},
                                {"body", "string"},   {"timeout", "string"},    {"wait", "boolean"}};
constexpr SchemaMember c2n_answer[] = {
    {"status", "integer", true}, {"headers", "{[string]}", true}, {"body", "string", true}};
constexpr SchemaMember events[] = {
    {"events", "[object]", true}, {"next", "integer", true}, {"lost", "integer", true}};
constexpr SchemaMember frame[] = {
    {"seq", "integer", true},        {"nodeKey", "string", true},   {"time", "string", true},
    {"kind", "string", true},        {"size", "integer", true},     {"unpacked", "integer"},
    {"connection", "integer", true}, {"reasons", "[string]", true}, {"more", "integer", true}};
constexpr SchemaMember open_stream[] = {{"nodeKey", "string", true},    {"version", "integer", true},
                                        {"stream", "boolean", true},    {"readOnly", "boolean", true},
                                        {"omitPeers", "boolean", true}, {"connection", "integer", true},
                                        {"frames", "integer", true},    {"accepted", "boolean", true}};
constexpr SchemaMember timeline[] = {{"frames", "[#Frame]", true}, {"next", "integer", true},
                                     {"lost", "boolean", true},    {"streams", "[#OpenStream]", true},
                                     {"messageSeq", "integer"},    {"message", "?object"}};
constexpr SchemaMember match[] = {{"nodeKey", "string"},
                                  {"stream", "boolean"},
                                  {"readOnly", "boolean"},
                                  {"omitPeers", "boolean"},
                                  {"requestTags", "[string]"}};
constexpr SchemaMember new_hold[] = {
    {"on", "string", true}, {"match", "#Match"}, {"timeout", "string"}, {"count", "integer"}};
constexpr SchemaMember hold[] = {
    {"id", "string", true}, {"on", "string", true}, {"held", "integer", true}, {"done", "integer", true}};
constexpr SchemaMember held[] = {{"call", "integer", true},   {"on", "string", true},
                                 {"nodeKey", "string", true}, {"machineKey", "string", true},
                                 {"request", "object", true}, {"response", "object"}};
constexpr SchemaMember held_state[] = {{"state", "string", true}, {"dropped", "boolean", true}};
constexpr SchemaMember decision[] = {{"action", "string", true},
                                     {"response", "object"},
                                     {"status", "integer"},
                                     {"headers", "{string}"},
                                     {"body", "string"}};
constexpr SchemaMember stream[] = {{"id", "integer", true}, {"open", "boolean", true}};
constexpr SchemaMember stream_request[] = {{"id", "integer", true},
                                           {"nodeKey", "string", true},
                                           {"request", "object", true},
                                           {"open", "boolean", true}};
constexpr SchemaMember streams[] = {{"streams", "[#StreamRequest]", true}};
constexpr SchemaMember clock[] = {{"now", "string", true}};
constexpr SchemaMember advance[] = {{"by", "string", true}};
constexpr SchemaMember reset[] = {{"keys", "boolean"}};

constexpr Schema table[] = {
    {"Any", {}, "any"},
    {"Raw", {}, "any"},
    {"Html", {}, "string"},
    {"Document", {}, "?object"},
    {"List", {}, "[object]"},
    {"Texts", {}, "?[string]"},
    {"CapMap", {}, "?{?[any]}"},
    {"TagOwners", {}, "?{[string]}"},
    {"Masquerades", {}, "?[#Masquerade]"},
    {"Faults", {}, "?[object]"},
    {"RegisterLimitIfAny", {}, "?#RegisterLimit"},
    {"AltMapIfAny", {}, "?#AltMap"},
    {"Error", error},
    {"Ok", ok},
    {"Enqueued", enqueued},
    {"Id", id},
    {"Keys", keys},
    {"Config", config},
    {"Stats", stats},
    {"Masquerade", masquerade},
    {"RegisterLimit", register_limit},
    {"AltMap", alt_map},
    {"FakeNodes", fake_nodes},
    {"Approval", approval},
    {"Flag", flag},
    {"Jailed", jailed},
    {"CompleteAuth", complete_auth},
    {"C2n", c2n},
    {"C2nAnswer", c2n_answer},
    {"Events", events},
    {"Frame", frame},
    {"OpenStream", open_stream},
    {"Timeline", timeline},
    {"Match", match},
    {"NewHold", new_hold},
    {"Hold", hold},
    {"Held", held},
    {"HeldState", held_state},
    {"Decision", decision},
    {"Stream", stream},
    {"StreamRequest", stream_request},
    {"Streams", streams},
    {"Clock", clock},
    {"Advance", advance},
    {"Reset", reset},
};

// The members of an object that says what `type` says.
void write_inside(SchemaType type, bool null, json::Writer& out) {
  const auto name = [&](std::string_view kind) {
    out.plain_name("type");
    if (!null) return out.plain_string(kind);
    out.begin_array();
    out.plain_string(kind);
    out.plain_string("null");
    out.end_array();
  };
  if (type == "any") return;
  if (type.starts_with('[')) {
    name("array");
    out.plain_name("items");
    return write_type(type.substr(1, type.size() - 2), out);
  }
  if (type.starts_with('{')) {
    name("object");
    out.plain_name("additionalProperties");
    return write_type(type.substr(1, type.size() - 2), out);
  }
  if (type.starts_with('#')) {
    out.plain_name("$ref");
    return out.string("#/components/schemas/" + std::string(type.substr(1)));
  }
  name(type);
}

}  // namespace

std::span<const Schema> schemas() noexcept { return table; }

const Schema* find_schema(std::string_view name) noexcept {
  const auto at =
      std::find_if(std::begin(table), std::end(table), [name](auto& s) { return s.name == name; });
  return at == std::end(table) ? nullptr : at;
}

void write_type(SchemaType type, json::Writer& out) {
  const bool null = type.starts_with('?');
  out.begin_object();
  if (type.starts_with("?#")) {
    out.plain_name("anyOf");
    out.begin_array();
    write_type(type.substr(1), out);
    write_type("null", out);
    out.end_array();
  } else {
    write_inside(type.substr(null ? 1 : 0), null, out);
  }
  out.end_object();
}

void write_schema(const Schema& schema, json::Writer& out) {
  if (schema.members.empty()) return write_type(schema.type, out);
  out.begin_object();
  out.plain_name("type");
  out.plain_string("object");
  out.plain_name("additionalProperties");
  out.boolean(false);
  out.plain_name("properties");
  out.begin_object();
  for (const SchemaMember& member : schema.members) {
    out.plain_name(member.name);
    write_type(member.type, out);
  }
  out.end_object();
  if (std::any_of(schema.members.begin(), schema.members.end(), [](auto& m) { return m.required; })) {
    out.plain_name("required");
    out.begin_array();
    for (const SchemaMember& member : schema.members)
      if (member.required) out.plain_string(member.name);
    out.end_array();
  }
  out.end_object();
}

}  // namespace ts2021::admin
