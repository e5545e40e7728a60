// SPDX-License-Identifier: BSD-3-Clause
// The section ssh.
#include <algorithm>
#include <charconv>
#include <optional>

#include "policy/sections.h"

namespace ts2021::policy {
namespace {

using std::chrono::seconds;

// "12h", "20m", "1h30m", "90s"; from a minute to a week.
std::optional<seconds> parse_period(std::string_view text) noexcept {
  seconds sum{};
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::uint32_t number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end == text.data() + text.size()) return std::nullopt;
    const char unit = *end;
    if (unit != 'h' && unit != 'm' && unit != 's') return std::nullopt;
    sum += seconds{std::int64_t{number} * (unit == 'h' ? 3600 : unit == 'm' ? 60 : 1)};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  }
  if (sum < std::chrono::minutes{1} || sum > std::chrono::hours{168}) return std::nullopt;
  return sum;
}

// A name of the host, "autogroup:nonroot" or "localpart:*@<domain>".
bool read_user(std::string_view text, const Item& item, SshRule& rule) {
  constexpr std::string_view local = "localpart:*@";
  if (text == "autogroup:nonroot") {
    rule.users["*"] = "=";
    rule.users.emplace("root", "");  // unless root is named too
    return true;
  }
  if (text.starts_with(local) && is_name(text.substr(local.size()))) {
    rule.local_of_domains.emplace_back(text.substr(local.size()));
    return true;
  }
  if (!is_name(text) || text == "*" || text == "=")
    return item.refuse("not a user of a host: " + quoted(text));
  rule.users[std::string(text)] = text;  // "=" would never mean root to clients from 1.104 on
  return true;
}

// No way leads from a tag to somebody's own node, nor from one user to another's.
bool check(const Item& item, const Document& document, const SshRule& rule) {
  const auto kind = [&document](SelectorId id) { return document.vocabulary.at(id).kind; };
  for (const SelectorId target : rule.targets) {
    if (kind(target) != Kind::self && kind(target) != Kind::user) continue;
    const std::string& name = document.vocabulary.at(target).name;
    for (const SelectorId source : rule.sources) {
      if (kind(source) == Kind::tag || kind(source) == Kind::tagged)
        return item.refuse("nodes with tags can't open sessions on nodes of users: " + quoted(name));
      if (kind(target) == Kind::user && source != target)
        return item.refuse("only " + quoted(name) + " may open sessions on nodes of " + quoted(name));
    }
  }
  return true;
}

bool read_rule(const Item& item, Document& document) {
  SshRule rule;
  bool has_action = false, has_period = false, has_users = false;
  const bool good = item.members([&](std::string_view name, const Item& member) {
    if (name == "action") {
      std::string_view text;
      if (!member.read(text)) return false;
      has_action = true;
      rule.check = text == "check";
      return rule.check || text == "accept" ||
             member.refuse("the actions are accept and check, found " + quoted(text));
    }
    if (name == "src") return read_selectors(member, Place::ssh_source, document, rule.sources);
    if (name == "dst") return read_selectors(member, Place::ssh_destination, document, rule.targets);
    if (name == "users") {
      has_users = true;
      return member.texts(
          [&rule](std::string_view text, const Item& user) { return read_user(text, user, rule); });
    }
    if (name == "checkperiod") {
      std::string_view text;
      if (!member.read(text)) return false;
      has_period = true;
      const auto period = text == "always" ? std::optional(seconds{}) : parse_period(text);
      if (!period) return member.refuse("expected always or a time from 1m to 168h, found " + quoted(text));
      rule.check_period = *period;
      return true;
    }
    if (name == "acceptenv")
      return member.texts([&rule](std::string_view text, const Item&) {
        rule.accept_env.emplace_back(text);
        return true;
      });
    if (name == "recorder") {
      if (!read_selectors(member, Place::ssh_destination, document, rule.recorders)) return false;
      return std::all_of(rule.recorders.begin(), rule.recorders.end(), [&](SelectorId id) {
        return document.vocabulary.at(id).kind == Kind::tag || member.refuse("recorders are named by a tag");
      });
    }
    if (name == "enforcerecorder") return member.read(rule.enforce_recorder);
    if (name == "srcposture")
      return member.unsupported(
          "this server knows no device posture, and a rule without its condition would "
          "allow too much");
    return member.unknown();
  });
  if (!good) return false;
  if (!has_action) return item.refuse("a rule needs an action");
  if (!has_users) return item.refuse("a rule needs users");
  if (has_period && !rule.check) return item.refuse("checkPeriod goes with the action check only");
  if (!check(item, document, rule)) return false;
  document.ssh.push_back(std::move(rule));
  return true;
}

}  // namespace

bool read_ssh(const Item& section, Document& document) {
  document.has_ssh = true;
  return section.elements([&document](const Item& item) { return read_rule(item, document); });
}

}  // namespace ts2021::policy
