// SPDX-License-Identifier: BSD-3-Clause
// What a rule may name: users, groups, tags, autogroups, addresses; each known by a number.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "policy/address_set.h"
#include "ts2021/policy/policy_file.h"

namespace ts2021::policy {

enum class SelectorId : std::uint32_t {};

enum class Kind : std::uint8_t {
  any,        // "*", autogroup:danger-all
  nobody,     // autogroup:shared: nothing is shared into this network
  member,     // nodes of users: those without tags
  tagged,     // nodes with tags
  user,       // "alice@example.com", or "alice@" for a login without a domain; nodes without tags
  domain,     // "user:*@example.com"
  group,      // "group:x"
  role,       // "autogroup:admin" and others
  tag,        // "tag:x"
  addresses,  // an address, a prefix, a range, a host of `hosts`, "ipset:x"
  self,       // as a destination: the source's own nodes
  internet,   // as a destination: what exit nodes lead to
};

struct Selector {
  Kind kind{};
  std::string name;      // as the file has it
  AddressSet addresses;  // Kind::addresses and Kind::internet
};

// Neither empty nor with spaces, quotes, colons or control characters.
[[nodiscard]] bool is_name(std::string_view text) noexcept;
// A name with '@' in it.
[[nodiscard]] bool is_user(std::string_view text) noexcept;
// The user of a login name: "alice@" is how files write a login without a domain.
[[nodiscard]] std::string_view user_key(std::string_view login) noexcept;

// Where a selector stands.
enum class Place : std::uint8_t {
  source,
  destination,
  owner,
  approver,
  target,
  ssh_source,
  ssh_destination,
  test_source,
  test_destination,
};

// The names that the file defines and the selectors that it uses.
class Vocabulary {
 public:
  explicit Vocabulary(const PolicyRoles& roles);

  // False when the name is there already.
  [[nodiscard]] bool define_group(std::string_view name, std::vector<std::string> users);
  [[nodiscard]] bool define_host(std::string_view name, AddressSet addresses);  // also of IP sets
  [[nodiscard]] bool define_tag(std::string_view name);

  [[nodiscard]] bool knows_tag(std::string_view name) const { return tags_.find(name) != tags_.end(); }
  [[nodiscard]] const AddressSet* host(std::string_view name) const;

  // What `text` names; none: `why` says what is wrong with it.
  [[nodiscard]] std::optional<Selector> read(std::string_view text, Place place, std::string& why) const;
  // The same with a number, given out when it is used first.
  [[nodiscard]] std::optional<SelectorId> select(std::string_view text, Place place, std::string& why);
  [[nodiscard]] const Selector& at(SelectorId id) const { return selectors_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] std::size_t count() const { return selectors_.size(); }
  [[nodiscard]] std::optional<SelectorId> find(std::string_view name) const;  // one that is in use

  // The users in a selector of the kinds user, group and role.
  [[nodiscard]] std::vector<std::string_view> users(const Selector& selector) const;
  [[nodiscard]] std::vector<std::string_view> users(SelectorId id) const { return users(at(id)); }

 private:
  [[nodiscard]] std::optional<Selector> parse(std::string_view text, std::string& why) const;
  [[nodiscard]] std::optional<Selector> parse_autogroup(std::string_view text, std::string& why) const;

  std::map<std::string, std::vector<std::string>, std::less<>> groups_, roles_;  // by whole name
  std::map<std::string, AddressSet, std::less<>> hosts_;
  std::set<std::string, std::less<>> tags_;
  std::vector<Selector> selectors_;
  std::map<std::string, SelectorId, std::less<>> numbers_;
};

}  // namespace ts2021::policy
