// SPDX-License-Identifier: BSD-3-Clause
// The sections that permit what is no connection: autoApprovers, nodeAttrs.
#include "policy/sections.h"

namespace ts2021::policy {

bool read_approvers(const Item& section, Document& document) {
  return section.members([&document](std::string_view name, const Item& member) {
    if (name == "exitnode") return read_selectors(member, Place::approver, document, document.exit_approvers);
    if (name == "services") return member.unsupported("this server has no services");
    if (name != "routes") return member.unknown();
    return member.entries([&document](std::string_view route, const Item& approvers) {
      const auto prefix = IpPrefix::parse(route);
      if (!prefix || prefix->is_none()) return approvers.refuse_name("not a network: " + quoted(route));
      Selectors selectors;
      if (!read_selectors(approvers, Place::approver, document, selectors)) return false;
      document.route_approvers.emplace_back(prefix->masked(), std::move(selectors));
      return true;
    });
  });
}

bool read_attributes(const Item& section, Document& document) {
  return section.elements([&document](const Item& item) {
    NodeAttributes attributes;
    bool has_targets = false;
    const bool good = item.members([&](std::string_view name, const Item& member) {
      if (name == "target") {
        has_targets = true;
        return read_selectors(member, Place::target, document, attributes.targets);
      }
      if (name == "attr")
        return member.texts([&attributes](std::string_view text, const Item& one) {
          if (text.empty()) return one.refuse("an attribute needs a name");
          attributes.capabilities[std::string(text)];
          return true;
        });
      if (name == "app") return read_capabilities(member, attributes.capabilities);
      if (name == "ippool") return member.unsupported("addresses are given out from one pool");
      return member.unknown();
    });
    if (!good) return false;
    if (!has_targets) return item.refuse("attributes need a target");
    document.attributes.push_back(std::move(attributes));
    return true;
  });
}

}  // namespace ts2021::policy
