// SPDX-License-Identifier: BSD-3-Clause
// The packet filter of one node.
#include <algorithm>
#include <set>
#include <tuple>

#include "policy/compiled_policy.h"
#include "ts2021/msg/filter.h"

namespace ts2021::policy {
namespace {

// Of one node: what rules mean by it, as the wire has it.
class FilterWriter {
 public:
  FilterWriter(const Document& document, const Matcher& matcher, const Subject& node)
      : document_(document), node_(node), who_(traits_of(node, true)) {
    as_source_ = matcher.sources(who_);
    as_target_ = matcher.destinations(who_);
    for (const SelectorId id : as_source_) note(matcher.rules_from(id));
    for (const SelectorId id : as_target_) note(matcher.rules_to(id));
  }

  [[nodiscard]] std::vector<FilterRule> write() {
    for (const std::uint32_t number : rules_) {
      const Rule& rule = document_.rules[number];
      write_in(rule, sources(rule.sources), false);
      if (is_self_rule(rule)) write_in(rule, {"cap:" + self_capability(node_.node.user)}, true);
      write_back(rule);
    }
    return std::move(out_);
  }

 private:
  using Texts = std::vector<std::string>;

  void note(const std::vector<std::uint32_t>& rules) { rules_.insert(rules.begin(), rules.end()); }
  [[nodiscard]] const Selector& selector(SelectorId id) const { return document_.vocabulary.at(id); }
  [[nodiscard]] static bool is_in(const Selectors& sorted, SelectorId id) {
    return std::binary_search(sorted.begin(), sorted.end(), id);
  }
  [[nodiscard]] bool is_self(const Target& target) const { return selector(target.who).kind == Kind::self; }
  // This node is one of those that the rule lets reach their own (API-124).
  [[nodiscard]] bool is_self_rule(const Rule& rule) const {
    return !who_.tagged && std::any_of(rule.targets.begin(), rule.targets.end(), [this](const Target& t) {
      return is_self(t);
    }) && std::any_of(rule.sources.begin(), rule.sources.end(), [this](SelectorId id) {
      return is_in(as_source_, id);
    });
  }

  // Who may (API-122).
  [[nodiscard]] Texts sources(const Selectors& from) const {
    Texts out;
    for (const SelectorId id : from) {
      const Selector& one = selector(id);
      switch (one.kind) {
        case Kind::any:
          return {"*"};
        case Kind::nobody:
        case Kind::self:
        case Kind::internet:
          break;
        case Kind::addresses:
          for (const AddressRange& range : one.addresses.ranges()) out.push_back(range.text());
          break;
        case Kind::member:
        case Kind::tagged:
        case Kind::user:
        case Kind::domain:
        case Kind::group:
        case Kind::role:
        case Kind::tag:
          out.push_back("cap:" + source_capability(one));
          break;
      }
    }
    return out;
  }

  // The part of this node that a selector means.
  [[nodiscard]] std::vector<AddressRange> part(const Selector& one) const {
    std::vector<AddressRange> out;
    const auto own = own_addresses(node_.node);
    if (one.kind == Kind::internet) return one.addresses.ranges();  // API-123
    if (one.kind != Kind::addresses) return {own.begin(), own.end()};
    for (const AddressRange& has : who_.addresses) {
      const auto common = one.addresses.common(has);
      out.insert(out.end(), common.begin(), common.end());
    }
    if (who_.exit_node)
      for (const AddressRange& beyond : internet_.ranges()) {
        const auto common = one.addresses.common(beyond);
        out.insert(out.end(), common.begin(), common.end());
      }
    return out;
  }

  // What others may do here; to_self: only the targets autogroup:self, else all others. Ports and grants are
  // rules of their own (API-125).
  void write_in(const Rule& rule, const Texts& from, bool to_self) {
    if (from.empty()) return;
    std::vector<const Target*> targets;
    for (const Target& target : rule.targets)
      if (is_self(target) ? to_self : !to_self && is_in(as_target_, target.who)) targets.push_back(&target);
    if (targets.empty()) return;
    for (const Traffic& traffic : rule.traffic) {
      FilterRule opened;
      opened.src_ips = from;
      opened.ip_proto = traffic.protocols;
      std::set<std::tuple<std::string, std::uint16_t, std::uint16_t>> seen;
      for (const Target* target : targets)
        for (const std::string& ip : places(selector(target->who)))
          for (const PortRange& ports : target->ports.empty() ? traffic.ports : target->ports)
            if (seen.emplace(ip, ports.first, ports.last).second) opened.dst_ports.push_back({ip, ports});
      if (!opened.dst_ports.empty()) out_.push_back(std::move(opened));
    }
    if (rule.app.empty()) return;
    std::set<IpPrefix> dsts;
    for (const Target* target : targets) add(part(selector(target->who)), dsts);
    grant(from, dsts, rule.app);
  }

  [[nodiscard]] Texts places(const Selector& one) const {
    if (one.kind == Kind::any) return {"*"};
    Texts out;
    for (const AddressRange& range : part(one)) out.push_back(range.text());
    return out;
  }

  static void add(const std::vector<AddressRange>& ranges, std::set<IpPrefix>& out) {
    for (const AddressRange& range : ranges)
      for (const IpPrefix& prefix : range.prefixes()) out.insert(prefix);
  }

  // What a grant's targets may do to its sources, of which this node is one (API-126).
  void write_back(const Rule& rule) {
    const auto names = companions(rule.app);
    if (names.empty()) return;
    std::set<IpPrefix> dsts;
    for (const SelectorId id : rule.sources)
      if (is_in(as_source_, id)) add(part(selector(id)), dsts);
    Selectors targets;
    for (const Target& target : rule.targets) targets.push_back(target.who);
    Texts from = sources(targets);
    if (is_self_rule(rule) && from != Texts{"*"}) from.push_back("cap:" + self_capability(node_.node.user));
    CapMap caps;
    for (const std::string& name : names) caps[name];
    if (!from.empty()) grant(from, dsts, caps);
  }

  void grant(const Texts& from, const std::set<IpPrefix>& dsts, const CapMap& caps) {
    if (dsts.empty()) return;
    FilterRule granted;
    granted.src_ips = from;
    granted.cap_grant.push_back({{dsts.begin(), dsts.end()}, {}, caps});
    out_.push_back(std::move(granted));
  }

  const Document& document_;
  const Subject& node_;
  Traits who_;
  AddressSet internet_ = internet();
  Selectors as_source_, as_target_;
  std::set<std::uint32_t> rules_;  // that may concern the node, in the order of the file
  std::vector<FilterRule> out_;
};

}  // namespace

std::vector<std::string> companions(const CapMap& app) {
  constexpr std::pair<std::string_view, std::string_view> pairs[] = {
      {"tailscale.com/cap/drive", "tailscale.com/cap/drive-sharer"},
      {"tailscale.com/cap/relay", "tailscale.com/cap/relay-target"}};
  std::vector<std::string> out;
  for (const auto& [name, back] : pairs)
    if (app.find(std::string(name)) != app.end()) out.emplace_back(back);
  return out;
}

std::string source_capability(const Selector& selector) { return "src/" + selector.name; }
std::string self_capability(UserId user) {
  return "self/" + std::to_string(static_cast<std::uint64_t>(user));
}

std::vector<FilterRule> filter_for(const Document& document, const Matcher& matcher, const Subject& node) {
  return FilterWriter(document, matcher, node).write();  // API-121
}

}  // namespace ts2021::policy
