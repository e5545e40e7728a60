// SPDX-License-Identifier: BSD-3-Clause
// The sections that open connections: acls and grants.
#include <algorithm>
#include <set>

#include "policy/sections.h"

namespace ts2021::policy {
namespace {

constexpr std::string_view no_posture =
    "this server knows no device posture, and a rule without its condition "
    "would allow too much";

bool is_user_like(Kind kind) noexcept {
  return kind == Kind::any || kind == Kind::nobody || kind == Kind::member || kind == Kind::user ||
         kind == Kind::domain || kind == Kind::group || kind == Kind::role;
}

// What autogroup:self and autogroup:internet want, and what the rule counts for.
bool check(const Item& item, Document& document, const Rule& rule) {
  bool to_self = false;
  std::size_t targets = 0;
  for (const Target& target : rule.targets) {
    const Kind kind = document.vocabulary.at(target.who).kind;
    to_self = to_self || kind == Kind::self;
    if (kind == Kind::internet && !rule.app.empty())
      return item.refuse("app has no meaning for autogroup:internet");
    targets += document.weight(target.who) * std::max<std::size_t>(target.ports.size(), 1);
  }
  std::size_t sources = 0;
  for (const SelectorId source : rule.sources) {
    if (to_self && !is_user_like(document.vocabulary.at(source).kind))
      return item.refuse("autogroup:self goes with users, groups and autogroups of users only, not with " +
                         quoted(document.vocabulary.at(source).name));
    sources += document.weight(source);
  }
  std::size_t entries = sources + targets;
  for (const Traffic& traffic : rule.traffic)
    entries += sources + targets * std::max<std::size_t>(traffic.ports.size(), 1);
  return document.spend(entries) || item.refuse("the rules add up to more than the file may hold");
}

bool read_target(std::string_view text, const Item& item, Document& document, Rule& rule) {
  const auto parts = split_ports(text);
  const auto ports = parts ? parse_ports(parts->second) : std::nullopt;
  if (!ports) {
    return item.refuse(parts ? "bad port " + quoted(parts->second) + "; a destination is host:ports"
                             : "a destination is host:ports, found " + quoted(text));
  }
  Target target;
  target.ports = *ports;
  if (!read_selector(parts->first, item, Place::destination, document, target.who)) return false;
  if (!is_all(target.ports) && !has_ports(rule.traffic.front().protocols))
    return item.refuse("only TCP, UDP and SCTP have ports; write :*");
  rule.targets.push_back(std::move(target));
  return true;
}

bool read_protocol(const Item& item, Protocols& out) {
  std::string_view text;
  if (!item.read(text)) return false;
  const auto protocols = parse_protocol(text);
  if (!protocols) return item.refuse("unknown protocol " + quoted(text));
  out = *protocols;
  return true;
}

// "*", "443", "80-90", "tcp:443", "icmp:*".
bool read_traffic(std::string_view text, const Item& item, Rule& rule) {
  const std::size_t colon = text.find(':');
  Protocols protocols;
  if (colon != std::string_view::npos) {
    const auto named = parse_protocol(text.substr(0, colon));
    if (!named) return item.refuse("unknown protocol " + quoted(text.substr(0, colon)));
    protocols = *named;
  }
  const auto ports = parse_ports(colon == std::string_view::npos ? text : text.substr(colon + 1));
  if (!ports) return item.refuse("bad port in " + quoted(text) + "; write ports or protocol:ports");
  if (!is_all(*ports) && !has_ports(protocols))
    return item.refuse("only TCP, UDP and SCTP have ports; write :*");
  for (Traffic& known : rule.traffic)
    if (known.protocols == protocols) {
      known.ports.insert(known.ports.end(), ports->begin(), ports->end());
      return true;
    }
  rule.traffic.push_back({std::move(protocols), *ports});
  return true;
}

bool read_acl(const Item& item, Document& document) {
  Rule rule;
  rule.traffic.emplace_back();
  bool accepts = false, has_sources = false;
  // Ports are judged by the protocol, wherever it stands.
  const bool protocol = item.members([&rule](std::string_view name, const Item& member) {
    return name != "proto" || read_protocol(member, rule.traffic.front().protocols);
  });
  bool has_targets = false;
  const bool good = protocol && item.members([&](std::string_view name, const Item& member) {
    if (name == "proto") return true;
    if (name == "action") {
      std::string_view text;
      if (!member.read(text)) return false;
      accepts = text == "accept";
      return accepts || member.refuse("the only action is accept, found " + quoted(text));
    }
    if (name == "src" || name == "users") {
      if (has_sources) return member.refuse_name("src and users mean the same");
      has_sources = true;
      return read_selectors(member, Place::source, document, rule.sources);
    }
    if (name == "dst" || name == "ports") {
      if (has_targets) return member.refuse_name("dst and ports mean the same");
      has_targets = true;
      return member.texts([&](std::string_view text, const Item& target) {
        return read_target(text, target, document, rule);
      });
    }
    if (name == "srcposture") return member.unsupported(no_posture);
    return member.unknown();
  });
  if (!good) return false;
  if (!accepts) return item.refuse("a rule needs an action");
  if (!has_sources) return item.refuse("a rule needs src");
  if (!has_targets) return item.refuse("a rule needs dst");
  if (!check(item, document, rule)) return false;
  document.rules.push_back(std::move(rule));
  return true;
}

bool read_grant(const Item& item, Document& document) {
  Rule rule;
  bool has_sources = false, has_targets = false, gives = false;
  const bool good = item.members([&](std::string_view name, const Item& member) {
    if (name == "src") {
      has_sources = true;
      return read_selectors(member, Place::source, document, rule.sources);
    }
    if (name == "dst") {
      has_targets = true;
      Selectors targets;
      if (!read_selectors(member, Place::destination, document, targets)) return false;
      for (const SelectorId who : targets) rule.targets.push_back({who, {}});
      return true;
    }
    if (name == "ip") {
      gives = true;
      return member.texts(
          [&rule](std::string_view text, const Item& one) { return read_traffic(text, one, rule); });
    }
    if (name == "app") {
      gives = true;
      return read_capabilities(member, rule.app);
    }
    if (name == "srcposture") return member.unsupported(no_posture);
    if (name == "via") return member.unsupported("routes are chosen by this server, not by rules");
    return member.unknown();
  });
  if (!good) return false;
  if (!has_sources) return item.refuse("a grant needs src");
  if (!has_targets) return item.refuse("a grant needs dst");
  if (!gives) return item.refuse("a grant needs ip or app");
  if (!check(item, document, rule)) return false;
  document.rules.push_back(std::move(rule));
  return true;
}

}  // namespace

bool read_acls(const Item& section, Document& document) {
  return section.elements([&document](const Item& item) { return read_acl(item, document); });
}

bool read_grants(const Item& section, Document& document) {
  return section.elements([&document](const Item& item) { return read_grant(item, document); });
}

}  // namespace ts2021::policy
