// SPDX-License-Identifier: BSD-3-Clause
// The sections that give names: groups, hosts, ipsets, tagOwners.
#include <algorithm>
#include <set>

#include "json/writer.h"
#include "policy/sections.h"

namespace ts2021::policy {
namespace {

bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// "tag:" and a letter, then letters, digits and dashes.
bool is_tag(std::string_view text) noexcept {
  if (!text.starts_with("tag:") || text.size() < 5 || !is_letter(text[4])) return false;
  return std::all_of(text.begin() + 5, text.end(),
                     [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

// What stands behind the prefix of a group or IP set.
bool is_named(std::string_view text, std::string_view prefix) noexcept {
  return text.starts_with(prefix) && is_name(text.substr(prefix.size()));
}

// Not what else a selector may be.
bool is_host(std::string_view text) noexcept {
  return is_name(text) && text.find_first_of("@*/,[]") == std::string_view::npos &&
         !AddressRange::parse(text);
}

bool is_capability(std::string_view text) {
  std::string without(text);
  without.erase(std::remove(without.begin(), without.end(), ':'), without.end());
  return is_name(without);
}

constexpr std::string_view too_much = "this is more than the file may add up to";

// "add <target>", "remove <target>" or "<target>".
bool apply(std::string_view text, const Item& item, Document& document, AddressSet& out) {
  const std::size_t space = text.find(' ');
  const std::string_view verb = space == std::string_view::npos ? "add" : text.substr(0, space);
  std::string_view target = space == std::string_view::npos ? text : text.substr(space + 1);
  if (verb != "add" && verb != "remove") return item.refuse("expected add or remove in " + quoted(text));
  if (target.starts_with("host:")) target.remove_prefix(5);

  AddressSet one;
  if (target == "autogroup:internet") {
    one = internet();
  } else if (const AddressSet* known = document.vocabulary.host(target)) {
    if (!document.spend(known->count())) return item.refuse(std::string(too_much));
    one = *known;
  } else if (const auto range = AddressRange::parse(target)) {
    one.add(*range);
  } else {
    return item.refuse("undefined host " + quoted(target) + "; IP sets are defined before they are used");
  }
  if (verb == "add") {
    out.add(one);
  } else {
    out.remove(one);
  }
  return true;
}

}  // namespace

bool read_groups(const Item& section, Document& document) {
  return section.entries([&](std::string_view name, const Item& group) {
    if (!is_named(name, "group:")) return group.refuse_name("not the name of a group: " + quoted(name));
    std::vector<std::string> users;
    const bool good = group.texts([&users](std::string_view text, const Item& item) {
      if (text.starts_with("group:")) return item.refuse("a group can't contain " + quoted(text));
      if (!is_user(text)) return item.refuse("not a user: " + quoted(text) + "; users have an @");
      users.emplace_back(text);
      return true;
    });
    return good && document.vocabulary.define_group(name, std::move(users));
  });
}

bool read_hosts(const Item& section, Document& document) {
  return section.entries([&](std::string_view name, const Item& item) {
    if (!is_host(name)) return item.refuse_name("not a name for a host: " + quoted(name));
    std::string_view text;
    if (!item.read(text)) return false;
    const auto range = AddressRange::parse(text);
    if (!range) return item.refuse("not an address or network: " + quoted(text));
    AddressSet addresses;
    addresses.add(*range);
    return document.vocabulary.define_host(name, std::move(addresses));
  });
}

bool read_ipsets(const Item& section, Document& document) {
  return section.entries([&](std::string_view name, const Item& list) {
    if (!is_named(name, "ipset:")) return list.refuse_name("not the name of an IP set: " + quoted(name));
    AddressSet addresses;
    const bool good = list.texts(
        [&](std::string_view text, const Item& item) { return apply(text, item, document, addresses); });
    if (!good) return false;
    if (!document.spend(addresses.count())) return list.refuse(std::string(too_much));
    return document.vocabulary.define_host(name, std::move(addresses));
  });
}

bool read_tags(const Item& section, Document& document) {
  return section.entries([&](std::string_view name, const Item& item) {
    if (!is_tag(name)) return item.refuse_name("not the name of a tag: " + quoted(name));
    return document.vocabulary.define_tag(name);
  });
}

bool read_tag_owners(const Item& section, Document& document) {
  return section.entries([&](std::string_view name, const Item& list) {
    return read_selectors(list, Place::owner, document, document.tag_owners[std::string(name)]);
  });
}

bool read_selector(std::string_view text, const Item& item, Place place, Document& document,
                   SelectorId& out) {
  std::string why;
  const auto selector = document.vocabulary.select(text, place, why);
  if (!selector) return item.refuse(std::move(why));
  out = *selector;
  return true;
}

bool read_selectors(const Item& list, Place place, Document& document, Selectors& out) {
  std::set<SelectorId> seen(out.begin(), out.end());
  return list.texts([&](std::string_view text, const Item& item) {
    SelectorId selector{};
    if (!read_selector(text, item, place, document, selector)) return false;
    if (seen.insert(selector).second) out.push_back(selector);
    return true;
  });
}

bool read_capabilities(const Item& object, CapMap& out) {
  return object.entries([&out](std::string_view name, const Item& values) {
    if (!is_capability(name)) return values.refuse_name("not the name of a capability: " + quoted(name));
    auto& list = out[std::string(name)];
    return values.elements([&list](const Item& value) {
      list.push_back(RawJson::trusted(json::written(value.value())));
      return true;
    });
  });
}

}  // namespace ts2021::policy
