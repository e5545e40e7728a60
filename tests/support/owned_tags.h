// SPDX-License-Identifier: BSD-3-Clause
// A policy in which "<name>-admin@…" owns tag:<name>, and bearers of tag:<name> own tag:<name>-….
#pragma once

#include <string>

#include "ts2021/coord/policy.h"
#include "ts2021/msg/filter.h"

namespace ts2021::test {

class OwnedTags : public Policy {
 public:
  ViewClass view_of(const Subject&) const override { return {}; }
  bool sees(ViewClass, const Subject&) const override { return true; }
  std::vector<FilterRule> packet_filter(const Subject&) const override { return {allow_all_rule()}; }
  bool may_tag(std::string_view login, std::span<const std::string> owner_tags,
               std::string_view tag) const override {
    for (const auto& owner : owner_tags)
      if (tag.starts_with(owner + "-")) return true;
    return owner_tags.empty() && login.starts_with(std::string(tag.substr(4)) + "-admin@");
  }
};

}  // namespace ts2021::test
