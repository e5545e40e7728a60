// SPDX-License-Identifier: BSD-3-Clause
#include "policy/assertions.h"

#include <algorithm>
#include <optional>

namespace ts2021::policy {
namespace {

constexpr std::size_t max_steps = 10'000'000;  // of a section; a step is a rule or a target looked at

// What a test names.
struct Party {
  Kind kind{};
  std::string user;               // of a node without tags; empty: nobody in particular
  std::vector<std::string> tags;  // of a node with tags
  std::vector<AddressRange> addresses;

  // Views of the party.
  [[nodiscard]] Traits traits() const {
    Traits out;
    out.is_node = addresses.empty();
    out.tagged = kind == Kind::tag || kind == Kind::tagged;
    out.user = user;
    out.tags = tags;
    out.addresses = addresses;
    return out;
  }
};

// One for each user of a group or role.
std::vector<Party> parties(const Vocabulary& vocabulary, const Selector& selector) {
  std::vector<Party> out;
  if (selector.kind == Kind::user || selector.kind == Kind::group || selector.kind == Kind::role) {
    for (const std::string_view user : vocabulary.users(selector))
      out.push_back({Kind::user, std::string(user), {}, {}});
    return out;
  }
  Party one{selector.kind, {}, {}, selector.addresses.ranges()};
  if (selector.kind == Kind::tag) one.tags.push_back(selector.name);
  out.push_back(std::move(one));
  return out;
}

class Judge {
 public:
  Judge(const Document& document, const Matcher& matcher) : document_(document), matcher_(matcher) {}

  [[nodiscard]] bool read(std::string_view text, const Item& item, Place place,
                          std::vector<Party>& out) const {
    std::string why;
    const auto selector = document_.vocabulary.read(text, place, why);
    if (!selector) return item.refuse(std::move(why));
    out = parties(document_.vocabulary, *selector);
    return true;
  }

  // Whether a rule lets `from` reach all of `to` (or, `partly`, any of it) by one of the protocols.
  [[nodiscard]] bool reaches(const Party& from, const Party& to, const Protocols& protocols,
                             std::uint16_t port, bool partly) {
    const Selectors sources = matching(from, false, partly);
    const Selectors targets = matching(to, true, partly);
    for (const SelectorId source : sources)
      for (const std::uint32_t number : matcher_.rules_from(source)) {
        const Rule& rule = document_.rules[number];
        steps_ += 1 + rule.targets.size();
        for (const Target& target : rule.targets)
          if (means(target.who, targets, from, to) && opens(rule, target, protocols, port)) return true;
      }
    return false;
  }

  // The first rule that lets `from` log in on `to` as this user of the host; null: none.
  [[nodiscard]] const SshRule* logs_in(const Party& from, const Party& to, const std::string& user) {
    const Selectors sources = matching(from, false, false);
    const Selectors targets = matching(to, false, false);
    for (const SshRule& rule : document_.ssh) {
      steps_ += 1 + rule.sources.size() + rule.targets.size();
      const bool by = std::any_of(rule.sources.begin(), rule.sources.end(),
                                  [&](SelectorId id) { return is_in(sources, id); });
      const bool at = std::any_of(rule.targets.begin(), rule.targets.end(),
                                  [&](SelectorId id) { return means(id, targets, from, to); });
      if (by && at && permits(rule, from, user)) return &rule;
    }
    return nullptr;
  }

  [[nodiscard]] bool is_tired() const noexcept { return steps_ > max_steps; }

 private:
  [[nodiscard]] static bool is_in(const Selectors& sorted, SelectorId id) {
    return std::binary_search(sorted.begin(), sorted.end(), id);
  }

  // The selectors that match the party; of addresses: those that have them all, or any of them.
  [[nodiscard]] Selectors matching(const Party& party, bool as_destination, bool partly) const {
    const Traits traits = party.traits();
    Selectors out = matcher_.sources(traits);
    if (party.addresses.empty()) return out;
    if (const auto beyond = matcher_.internet(); as_destination && beyond) {
      out.push_back(*beyond);
      std::sort(out.begin(), out.end());
    }
    const auto fits = [&](SelectorId id) {
      const Selector& selector = document_.vocabulary.at(id);
      if (selector.kind != Kind::addresses && selector.kind != Kind::internet) return true;
      const auto has = [&](const AddressRange& range) {
        return partly ? selector.addresses.overlaps(range) : selector.addresses.contains(range);
      };
      return partly ? std::any_of(party.addresses.begin(), party.addresses.end(), has)
                    : std::all_of(party.addresses.begin(), party.addresses.end(), has);
    };
    out.erase(std::remove_if(out.begin(), out.end(), [&](SelectorId id) { return !fits(id); }), out.end());
    return out;
  }

  [[nodiscard]] bool means(SelectorId target, const Selectors& matching, const Party& from,
                           const Party& to) const {
    if (document_.vocabulary.at(target).kind != Kind::self) return is_in(matching, target);
    return to.kind == Kind::self || (!from.user.empty() && from.user == to.user);
  }

  [[nodiscard]] static bool opens(const Rule& rule, const Target& target, const Protocols& protocols,
                                  std::uint16_t port) {
    return std::any_of(rule.traffic.begin(), rule.traffic.end(), [&](const Traffic& traffic) {
      const auto& ports = target.ports.empty() ? traffic.ports : target.ports;
      return std::any_of(protocols.begin(), protocols.end(), [&](int one) {
        return contains(traffic.protocols, one) && (!has_ports(one) || contains(ports, port));
      });
    });
  }

  [[nodiscard]] static bool permits(const SshRule& rule, const Party& from, const std::string& user) {
    const auto named = rule.users.find(user);
    const auto others = rule.users.find("*");
    if (named != rule.users.end() ? !named->second.empty() : others != rule.users.end()) return true;
    return std::any_of(rule.local_of_domains.begin(), rule.local_of_domains.end(),
                       [&](const std::string& domain) { return from.user == user + "@" + domain; });
  }

  const Document& document_;
  const Matcher& matcher_;
  std::size_t steps_ = 0;
};

bool read_destination(std::string_view text, const Item& item, const Judge& judge, const Protocols& protocols,
                      std::vector<Party>& parties, std::uint16_t& port) {
  const auto parts = split_ports(text);
  const auto ports = parts ? parse_ports(parts->second) : std::nullopt;
  const bool one = ports && ports->size() == 1 && ports->front().first == ports->front().last;
  if (!one && !(ports && !has_ports(protocols)))
    return item.refuse("the destination of a test is host:port with one port, found " + quoted(text));
  port = ports->front().first;
  return judge.read(parts->first, item, Place::test_destination, parties);
}

constexpr std::string_view tired = "the tests take too long; there are too many for so many rules";

bool hold_test(const Item& item, Judge& judge) {
  std::vector<Party> sources;
  std::string source;
  Protocols protocols = {tcp, udp};
  const bool good = item.members([&](std::string_view name, const Item& member) {
    std::string_view text;
    if (name == "src" || name == "user") {
      if (!member.read(text) || !judge.read(text, member, Place::test_source, sources)) return false;
      source = text;
      return true;
    }
    if (name == "proto") {
      if (!member.read(text)) return false;
      const auto named = parse_protocol(text);
      if (!named) return member.refuse("unknown protocol " + quoted(text));
      protocols = *named;
      return true;
    }
    if (name == "accept" || name == "allow" || name == "deny") return true;
    if (name == "srcpostureattrs") return member.unsupported("this server knows no device posture");
    return member.unknown();
  });
  if (!good) return false;
  if (source.empty()) return item.refuse("a test needs src");
  return item.members([&](std::string_view name, const Item& member) {
    const bool deny = name == "deny";
    if (!deny && name != "accept" && name != "allow") return true;
    return member.texts([&](std::string_view text, const Item& target) {
      std::vector<Party> targets;
      std::uint16_t port = 0;
      if (!read_destination(text, target, judge, protocols, targets, port)) return false;
      for (const Party& from : sources)
        for (const Party& to : targets) {
          const bool reached = judge.reaches(from, to, protocols, port, deny);
          if (judge.is_tired()) return target.refuse(std::string(tired));
          if (reached == deny)
            return target.refuse("test failed: " + quoted(source) +
                                 (deny ? " reaches " : " does not reach ") + quoted(text));
        }
      return true;
    });
  });
}

bool hold_ssh_test(const Item& item, Judge& judge) {
  std::vector<Party> sources, targets;
  std::string source;
  const bool good = item.members([&](std::string_view name, const Item& member) {
    if (name == "src") {
      std::string_view text;
      if (!member.read(text) || !judge.read(text, member, Place::test_source, sources)) return false;
      source = text;
      return true;
    }
    if (name == "dst")
      return member.texts([&](std::string_view text, const Item& target) {
        std::vector<Party> more;
        if (!judge.read(text, target, Place::test_destination, more)) return false;
        targets.insert(targets.end(), more.begin(), more.end());
        return true;
      });
    if (name == "accept" || name == "check" || name == "deny") return true;
    if (name == "srcpostureattrs") return member.unsupported("this server knows no device posture");
    return member.unknown();
  });
  if (!good) return false;
  if (source.empty()) return item.refuse("a test needs src");
  return item.members([&](std::string_view name, const Item& member) {
    if (name != "accept" && name != "check" && name != "deny") return true;
    return member.texts([&](std::string_view text, const Item& user) {
      for (const Party& from : sources)
        for (const Party& to : targets) {
          const SshRule* rule = judge.logs_in(from, to, std::string(text));
          if (judge.is_tired()) return user.refuse(std::string(tired));
          const std::string_view found = rule == nullptr ? "deny" : rule->check ? "check" : "accept";
          if (found != name)
            return user.refuse("test failed: " + quoted(source) + " as " + quoted(text) + ": expected " +
                               std::string(name) + ", found " + std::string(found));
        }
      return true;
    });
  });
}

}  // namespace

bool hold_tests(const Item& section, const Document& document, const Matcher& matcher) {
  Judge judge(document, matcher);
  return section.elements([&judge](const Item& item) { return hold_test(item, judge); });
}

bool hold_ssh_tests(const Item& section, const Document& document, const Matcher& matcher) {
  Judge judge(document, matcher);
  return section.elements([&judge](const Item& item) { return hold_ssh_test(item, judge); });
}

}  // namespace ts2021::policy
