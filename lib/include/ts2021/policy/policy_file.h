// SPDX-License-Identifier: BSD-3-Clause
// The field's policy file: acls, grants, groups, hosts, ipsets, tagOwners, autoApprovers, ssh, nodeAttrs,
// tests and sshTests in JSON with comments and trailing commas, compiled to a Policy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/coord/policy.h"

namespace ts2021 {

// Why a file is refused, and where: the first thing that is wrong in it.
struct PolicyError {
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // in bytes, from 1
  std::string message;       // one line of English; quotes at most 64 bytes of the file
};

struct PolicyResult {
  std::shared_ptr<const Policy> policy;  // null: refused, see `error`
  PolicyError error;
  [[nodiscard]] explicit operator bool() const noexcept { return policy != nullptr; }
};

// Who bears a role that the file can only name: "admin" for autogroup:admin, likewise owner, it-admin,
// network-admin, billing-admin and auditor; login names. A role that is not here is borne by nobody.
using PolicyRoles = std::map<std::string, std::vector<std::string>, std::less<>>;

struct PolicyFile {
  static constexpr std::size_t max_size = std::size_t{1} << 20;  // bytes of text
  // What all rules and address sets may add up to: sources, destinations and ports multiplied out.
  static constexpr std::size_t max_entries = std::size_t{1} << 20;

  // Takes all of the text or refuses it. Owners and admins of `roles` may use every tag.
  //
  // The policy names dynamic sources (users, groups, tags, autogroups) by source capabilities
  // "src/<selector>" and "self/<login>". Two nodes see each other when one of them may reach the other, on
  // whatever port. It numbers view classes as they are asked for, so that one thread at a time may use it.
  [[nodiscard]] static PolicyResult parse(std::string_view text, const PolicyRoles& roles = {});
};

}  // namespace ts2021
