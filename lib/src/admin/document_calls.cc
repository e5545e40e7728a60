// SPDX-License-Identifier: BSD-3-Clause
// Documents that change what maps say: each is put as a whole and read as it was put.
#include <memory>
#include <utility>

#include "admin/body.h"
#include "admin/handlers.h"
#include "admin/members.h"
#include "admin/merge_patch.h"
#include "admin/query.h"
#include "ts2021/msg/derp.h"

namespace ts2021::admin {
namespace {

// A body that was parsed, and the call that brought it.
struct Put {
  Call& call;
  json::Document document;
  json::Value value;
  bool wake = true;
  [[nodiscard]] std::string_view body() const { return call.request.body; }
};

// Runs `make` with a body that is JSON; what it returns goes on.
template <class Make>
Outcome put(Call& call, Make make) {
  Put put{call, {}, {}, true};
  const auto wake = pushes(call.request.query);
  if (!wake) return error_reply(400, "push must be true or false");
  put.wake = *wake;
  const auto value = put.document.parse_copy(as_bytes(call.request.body));
  if (!value) return error_reply(400, "the body is not JSON");
  put.value = *value;
  return make(put);
}
template <class Make>
Outcome put_for_node(Call& call, Make make) {
  const auto node = node_of(call);
  if (!node) return no_such_node();
  return put(call, [&](Put& put) { return make(put, node->record->id); });
}

// Keeps the body once the order is carried out.
Then keep(const Put& put) {
  return [&state = put.call.state, path = document_path(put.call), text = std::string(put.body()),
          null = put.value.is_null()](const auto&) {
    state.passing.documents.put(path, text, null);
    return Reply{};
  };
}
Outcome order(const Put& put, CoordOrder what) {
  put.call.state.order(put.call.request.call, put.wake, std::move(what), keep(put));
  return std::nullopt;
}
Outcome change_rules(const Put& put, std::function<void(Rules&)> change) {
  put.call.state.change_rules(put.call.request.call, put.wake, std::move(change), keep(put));
  return std::nullopt;
}

// A message, or nothing for null.
template <class T, class Make>
Outcome put_message(Call& call, Make make) {
  return put(call, [&](const Put& put) -> Outcome {
    std::optional<T> message;
    if (!put.value.is_null())
      if (const std::string wrong = decode_body(put.body(), message.emplace()); !wrong.empty())
        return error_reply(400, wrong);
    return order(put, make(std::move(message)));
  });
}

std::optional<std::optional<CapMap>> read_caps(const Put& put) {
  std::optional<CapMap> caps;
  if (!put.value.is_null() && !read_cap_map(put.value, caps.emplace())) return std::nullopt;
  return caps;
}
Reply no_cap_map() { return error_reply(400, "the body is no object of capabilities with lists of values"); }

// One flag in an object; null: false.
std::string read_flag(const Put& put, std::string_view name, bool& out) {
  if (put.value.is_null()) return {};
  json::Document document;
  Members members(document, put.body());
  if (!members.take(name, out)) members.require(name);
  return members.finish();
}

// The text with `records` behind its ExtraRecords.
std::string with_records(std::string_view config, const json::Value& records) {
  json::Document old, change;
  const auto before = old.parse_copy(as_bytes(config));
  if (!before) return std::string(config);
  std::string all;
  json::Writer out(all);
  out.begin_object();
  out.plain_name("ExtraRecords");
  out.begin_array();
  const auto append = [&out](const json::Value& list) {
    if (list.type() != json::Type::array) return;
    json::ArrayCursor items(list);
    for (json::Value item; items.next(item);) json::write(item, out);
  };
  if (before->type() == json::Type::object) {
    json::ObjectCursor members(*before);
    std::string_view name;
    for (json::Value member; members.next(name, member);)
      if (name == "ExtraRecords") append(member);
  }
  append(records);
  out.end_array();
  out.end_object();
  out.flush();
  const auto patch = change.parse_copy(as_bytes(all));
  return patch ? merge_patch(*before, *patch) : all;
}

}  // namespace

Outcome show_document(Call& call) {
  return json_reply(std::string(call.state.passing.documents.get(document_path(call))));
}

Outcome show_node_document(Call& call) {
  for (std::size_t arg = 0; arg < call.request.args.size(); ++arg)
    if (!node_of(call, arg)) return no_such_node();
  return show_document(call);
}

Outcome put_derp_map(Call& call) {
  return put_message<DERPMap>(call, [](std::optional<DERPMap> map) {
    return coord_command::SetDERPMap{map ? std::make_shared<const DERPMap>(std::move(*map)) : nullptr};
  });
}

Outcome put_dns(Call& call) {
  return put_message<DNSConfig>(
      call, [](std::optional<DNSConfig> config) { return coord_command::SetDnsConfig{std::move(config)}; });
}

Outcome put_ssh_policy(Call& call) {
  return put_message<SSHPolicy>(
      call, [](std::optional<SSHPolicy> policy) { return coord_command::SetSshPolicy{std::move(policy)}; });
}

Outcome add_dns_records(Call& call) {
  return put(call, [&](const Put& put) -> Outcome {
    coord_command::AddDnsRecords records;
    if (put.value.type() != json::Type::array) return error_reply(400, "the body is not a list");
    json::ArrayCursor items(put.value);
    for (json::Value item; items.next(item);) {
      const std::string text = json::written(item);
      if (const std::string wrong = decode_body(text, records.records.emplace_back()); !wrong.empty())
        return error_reply(400, wrong);
    }
    State& state = call.state;
    state.order(call.request.call, put.wake, std::move(records),
                [&state, added = std::string(put.body())](const auto&) {
                  constexpr std::string_view path = "/admin/dns";
                  json::Document document;
                  if (const auto list = document.parse_copy(as_bytes(added)))
                    state.passing.documents.put(
                        std::string(path), with_records(state.passing.documents.get(path), *list), false);
                  return Reply{};
                });
    return std::nullopt;
  });
}

Outcome put_tag_owners(Call& call) {
  return put(call, [](const Put& put) -> Outcome {
    std::optional<std::map<std::string, std::vector<std::string>>> owners;
    if (!put.value.is_null()) {
      owners.emplace();
      if (put.value.type() != json::Type::object) return error_reply(400, "the body is not an object");
      json::ObjectCursor members(put.value);
      std::string_view tag;
      for (json::Value member; members.next(tag, member);) {
        auto list = text_list(member);
        if (!list) return error_reply(400, "\"" + std::string(tag) + "\" must be a list of texts");
        (*owners)[std::string(tag)] = std::move(*list);
      }
    }
    return change_rules(put, [owners](Rules& rules) { rules.tag_owners = owners; });
  });
}

Outcome put_default_capabilities(Call& call) {
  return put(call, [](const Put& put) -> Outcome {
    auto caps = read_caps(put);
    if (!caps) return no_cap_map();
    return change_rules(put, [caps = *caps](Rules& rules) { rules.default_capabilities = caps; });
  });
}

Outcome put_app_capabilities(Call& call) {
  return put(call, [](const Put& put) -> Outcome {
    auto caps = read_caps(put);
    if (!caps) return no_cap_map();
    return order(put, coord_command::SetAppCaps{std::move(*caps)});
  });
}

Outcome put_masquerades(Call& call) {
  return put(call, [](const Put& put) -> Outcome {
    coord_command::SetMasquerades masquerades;
    if (put.value.is_null()) return order(put, std::move(masquerades));
    if (put.value.type() != json::Type::array) return error_reply(400, "the body is not a list");
    json::ArrayCursor items(put.value);
    for (json::Value item; items.next(item);) {
      Masquerade& one = masquerades.all.emplace_back();
      Members members(item, std::to_string(masquerades.all.size() - 1));
      std::string address;
      if (!members.take("node", one.node)) members.require("node");
      if (!members.take("peer", one.peer)) members.require("peer");
      if (!members.take("address", address)) members.require("address");
      const auto parsed = IpAddress::parse(address);
      if (parsed && !parsed->is_none())
        one.address = *parsed;
      else
        members.refuse("address", "must be an address");
      if (const std::string wrong = members.finish(); !wrong.empty()) return error_reply(400, wrong);
    }
    return order(put, std::move(masquerades));
  });
}

Outcome put_routes(Call& call) {
  return put_for_node(call, [](const Put& put, NodeId node) -> Outcome {
    if (put.value.is_null()) return order(put, coord_command::OverrideRoutes{node, std::nullopt});
    const auto texts = text_list(put.value);
    if (!texts) return error_reply(400, "the body is not a list of prefixes");
    std::vector<IpPrefix> routes;
    for (const std::string& text : *texts) {
      const auto route = IpPrefix::parse(text);
      if (!route || route->is_none()) return error_reply(400, "\"" + text + "\" is not a prefix");
      routes.push_back(*route);
    }
    return order(put, coord_command::OverrideRoutes{node, std::move(routes)});
  });
}

Outcome put_capabilities(Call& call) {
  return put_for_node(call, [](const Put& put, NodeId node) -> Outcome {
    auto caps = read_caps(put);
    if (!caps) return no_cap_map();
    return order(put, coord_command::OverrideCapabilities{node, std::move(*caps)});
  });
}

Outcome put_unsigned_peer_api_only(Call& call) {
  return put_for_node(call, [](const Put& put, NodeId node) -> Outcome {
    bool value = false;
    if (const std::string wrong = read_flag(put, "value", value); !wrong.empty())
      return error_reply(400, wrong);
    return order(put, coord_command::SetUnsignedPeerApiOnly{node, value});
  });
}

Outcome put_jailed(Call& call) {
  return put_for_node(call, [&call](const Put& put, NodeId node) -> Outcome {
    const auto peer = node_of(call, 1);
    if (!peer) return no_such_node();
    bool jailed = false;
    if (const std::string wrong = read_flag(put, "jailed", jailed); !wrong.empty())
      return error_reply(400, wrong);
    return order(put, coord_command::SetJailed{node, peer->record->id, jailed});
  });
}

}  // namespace ts2021::admin
