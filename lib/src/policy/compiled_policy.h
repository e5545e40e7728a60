// SPDX-License-Identifier: BSD-3-Clause
// The Policy that a file stands for.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "policy/document.h"
#include "policy/matcher.h"
#include "ts2021/coord/policy.h"

namespace ts2021::policy {

// The nodes of one class: what rules they are a source of, what rules lead to them.
struct View {
  std::vector<std::uint64_t> from, to;  // a bit per rule
  UserId self{};  // not 0: rules to autogroup:self let them reach the nodes of this user
  friend auto operator<=>(const View&, const View&) = default;
};

class CompiledPolicy final : public Policy {
 public:
  explicit CompiledPolicy(Document document);
  CompiledPolicy(const CompiledPolicy&) = delete;
  CompiledPolicy& operator=(const CompiledPolicy&) = delete;

  [[nodiscard]] ViewClass view_of(const Subject& node) const override;
  [[nodiscard]] bool sees(ViewClass viewer, const Subject& peer) const override;
  [[nodiscard]] std::vector<FilterRule> packet_filter(const Subject& node) const override;
  [[nodiscard]] std::vector<std::string> source_capabilities(const Subject& node) const override;
  [[nodiscard]] CapMap node_attributes(const Subject& node) const override;
  [[nodiscard]] std::optional<SSHPolicy> ssh_policy(const Subject& node,
                                                    std::span<const Subject> everybody) const override;
  [[nodiscard]] bool may_tag(std::string_view login, std::span<const std::string> owner_tags,
                             std::string_view tag) const override;
  [[nodiscard]] bool approves_route(const Subject& node, const IpPrefix& route) const override;

 private:
  [[nodiscard]] Traits traits(const Subject& node) const {
    return traits_of(node, matcher_.looks_at_addresses());
  }

  Document document_;
  Matcher matcher_;                     // of document_
  std::vector<std::uint64_t> to_self_;  // rules with autogroup:self, a bit per rule
  std::vector<bool> named_;             // by selector: it is a source that needs a capability
  // Classes in the order in which they were asked for.
  mutable std::map<View, std::uint32_t> numbers_;
  mutable std::vector<const View*> views_;  // keys of numbers_
};

// The rules of a document that let others in to one node.
[[nodiscard]] std::vector<FilterRule> filter_for(const Document& document, const Matcher& matcher,
                                                 const Subject& node);
// Capabilities that a grant of `app` brings back to its sources, and whose source its targets are.
[[nodiscard]] std::vector<std::string> companions(const CapMap& app);
// "src/<selector>", and "self/<user>" for the nodes of one user.
[[nodiscard]] std::string source_capability(const Selector& selector);
[[nodiscard]] std::string self_capability(UserId user);

[[nodiscard]] SSHPolicy ssh_for(const Document& document, const Matcher& matcher, const Subject& node,
                                std::span<const Subject> everybody);

}  // namespace ts2021::policy
