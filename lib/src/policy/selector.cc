// SPDX-License-Identifier: BSD-3-Clause
#include "policy/selector.h"

#include <algorithm>
#include <array>

#include "policy/item.h"

namespace ts2021::policy {
namespace {

constexpr std::string_view autogroup = "autogroup:";
constexpr std::string_view any_of_domain = "user:*@";

// Which kinds may stand in a place.
bool fits(Kind kind, Place place) noexcept {
  const bool who = kind == Kind::user || kind == Kind::group || kind == Kind::role || kind == Kind::domain;
  const bool nodes = who || kind == Kind::tag || kind == Kind::member || kind == Kind::tagged;
  switch (place) {
    case Place::source:
      return nodes || kind == Kind::any || kind == Kind::nobody || kind == Kind::addresses;
    case Place::destination:
      return nodes || kind == Kind::any || kind == Kind::addresses || kind == Kind::self ||
             kind == Kind::internet;
    case Place::owner:
      return who || kind == Kind::tag || kind == Kind::member;
    case Place::approver:
      return nodes;
    case Place::target:
      return nodes || kind == Kind::any || kind == Kind::addresses;
    case Place::ssh_source:
      return nodes || kind == Kind::nobody;
    case Place::ssh_destination:
      return kind == Kind::user || kind == Kind::tag || kind == Kind::self || kind == Kind::member ||
             kind == Kind::tagged;
    case Place::test_source:
      return kind != Kind::domain && (nodes || kind == Kind::addresses);
    case Place::test_destination:
      return kind != Kind::domain &&
             (nodes || kind == Kind::addresses || kind == Kind::self || kind == Kind::internet);
  }
  return false;
}

std::string_view name_of(Place place) noexcept {
  switch (place) {
    case Place::source:
      return "a source";
    case Place::destination:
      return "a destination";
    case Place::owner:
      return "an owner of tags";
    case Place::approver:
      return "an approver";
    case Place::target:
      return "a target";
    case Place::ssh_source:
      return "a source of SSH sessions";
    case Place::ssh_destination:
      return "a destination of SSH sessions";
    case Place::test_source:
      return "the source of a test";
    case Place::test_destination:
      return "the destination of a test";
  }
  return "this";
}

bool accepts(Place place, Kind kind, std::string_view text, std::string& why) {
  if (fits(kind, place) && (text != "autogroup:danger-all" || place == Place::source)) return true;
  why = quoted(text) + " can't be " + std::string(name_of(place));
  return false;
}

}  // namespace

bool is_name(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '"' && c != '\\' && c != ':' && c != 0x7f;
  });
}

bool is_user(std::string_view text) noexcept {
  return is_name(text) && text[0] != '@' && text.find('@') != std::string_view::npos;
}

std::string_view user_key(std::string_view login) noexcept {
  return login.ends_with('@') ? login.substr(0, login.size() - 1) : login;
}

Vocabulary::Vocabulary(const PolicyRoles& roles) {
  for (const std::string_view role :
       {"owner", "admin", "it-admin", "network-admin", "billing-admin", "auditor"}) {
    const auto at = roles.find(role);
    auto& users = roles_[std::string(autogroup) + std::string(role)];
    if (at == roles.end()) continue;
    for (const auto& login : at->second) users.emplace_back(user_key(login));
  }
}

bool Vocabulary::define_group(std::string_view name, std::vector<std::string> users) {
  for (auto& user : users) user = user_key(user);
  return groups_.emplace(name, std::move(users)).second;
}
bool Vocabulary::define_host(std::string_view name, AddressSet addresses) {
  return hosts_.emplace(name, std::move(addresses)).second;
}
bool Vocabulary::define_tag(std::string_view name) { return tags_.emplace(name).second; }

const AddressSet* Vocabulary::host(std::string_view name) const {
  const auto at = hosts_.find(name);
  return at == hosts_.end() ? nullptr : &at->second;
}

std::optional<Selector> Vocabulary::parse_autogroup(std::string_view text, std::string& why) const {
  const std::string_view name = text.substr(autogroup.size());
  const auto make = [text](Kind kind) { return Selector{kind, std::string(text), {}}; };
  if (name == "member" || name == "members") return Selector{Kind::member, "autogroup:member", {}};
  if (name == "tagged") return make(Kind::tagged);
  if (name == "self") return make(Kind::self);
  if (name == "shared") return make(Kind::nobody);
  if (name == "danger-all") return Selector{Kind::any, "*", {}};
  if (name == "internet") return Selector{Kind::internet, std::string(text), internet()};
  if (roles_.find(text) != roles_.end()) return make(Kind::role);
  why = name == "nonroot" ? quoted(text) + " names users of a host, not of this network"
                          : "unknown autogroup " + quoted(text);
  return std::nullopt;
}

std::optional<Selector> Vocabulary::parse(std::string_view text, std::string& why) const {
  const auto make = [text](Kind kind) { return Selector{kind, std::string(text), {}}; };
  if (text == "*") return make(Kind::any);
  if (text.starts_with(autogroup)) return parse_autogroup(text, why);
  if (text.starts_with("group:")) {
    if (groups_.find(text) != groups_.end()) return make(Kind::group);
    why = "undefined group " + quoted(text);
    return std::nullopt;
  }
  if (text.starts_with("tag:")) {
    if (knows_tag(text)) return make(Kind::tag);
    why = "undefined tag " + quoted(text) + ": every tag needs an entry in tagOwners";
    return std::nullopt;
  }
  if (const AddressSet* addresses = host(text))
    return Selector{Kind::addresses, std::string(text), *addresses};
  if (text.starts_with("ipset:")) {
    why = "undefined IP set " + quoted(text);
    return std::nullopt;
  }
  for (const std::string_view other : {"svc:", "posture:"})
    if (text.starts_with(other)) {
      why = quoted(text) + " is not supported: this server has no such thing";
      return std::nullopt;
    }
  if (text.starts_with(any_of_domain) && is_name(text.substr(any_of_domain.size())))
    return make(Kind::domain);
  if (const auto range = AddressRange::parse(text)) {
    Selector one{Kind::addresses, range->text(), {}};
    one.addresses.add(*range);
    return one;
  }
  if (is_user(text)) return make(Kind::user);
  why = "undefined host " + quoted(text);
  return std::nullopt;
}

std::optional<Selector> Vocabulary::read(std::string_view text, Place place, std::string& why) const {
  auto selector = parse(text, why);
  if (!selector || accepts(place, selector->kind, text, why)) return selector;
  return std::nullopt;
}

std::optional<SelectorId> Vocabulary::select(std::string_view text, Place place, std::string& why) {
  if (const auto known = find(text)) return accepts(place, at(*known).kind, text, why) ? known : std::nullopt;
  auto selector = read(text, place, why);
  if (!selector) return std::nullopt;
  const auto [number, fresh] =
      numbers_.emplace(selector->name, SelectorId{static_cast<std::uint32_t>(count())});
  if (fresh) selectors_.push_back(*std::move(selector));
  return number->second;
}

std::optional<SelectorId> Vocabulary::find(std::string_view name) const {
  const auto at = numbers_.find(name);
  return at == numbers_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<std::string_view> Vocabulary::users(const Selector& selector) const {
  if (selector.kind == Kind::user) return {user_key(selector.name)};
  const auto& sets = selector.kind == Kind::group ? groups_ : roles_;
  const auto found = sets.find(selector.name);
  if (found == sets.end()) return {};
  return {found->second.begin(), found->second.end()};
}

}  // namespace ts2021::policy
