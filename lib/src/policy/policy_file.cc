// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/policy/policy_file.h"

#include <algorithm>
#include <optional>

#include "json/hujson.h"
#include "json/locate.h"
#include "policy/assertions.h"
#include "policy/compiled_policy.h"
#include "policy/sections.h"

namespace ts2021 {
namespace policy {
namespace {

PolicyError error_at(std::string_view text, std::size_t offset, std::string message) {
  const json::Place place = json::place_of(text, offset);
  return {place.line, place.column, std::move(message)};
}

using Reader = bool (*)(const Item&, Document&);

struct Section {
  std::string_view name;  // in lower case
  Reader read;
};
// In the order in which they are read: names first.
constexpr Section sections[] = {
    {"groups", read_groups},
    {"hosts", read_hosts},
    {"ipsets", read_ipsets},
    {"tagowners", read_tags},
    {"tagowners", read_tag_owners},
    {"autoapprovers", read_approvers},
    {"acls", read_acls},
    {"grants", read_grants},
    {"ssh", read_ssh},
    {"nodeattrs", read_attributes},
};

struct Unsupported {
  std::string_view name, why;
};
constexpr Unsupported not_here[] = {
    {"postures", "this server knows no device posture"},
    {"defaultsrcposture", "this server knows no device posture"},
    {"derpmap", "the relays are part of the server's configuration"},
    {"disableipv4", "every node has both addresses"},
    {"onecgnatroute", "use the attribute one-cgnat?v=true or =false"},
};

bool read_random_port(const Item& item, Document& document) {
  bool wanted = false;
  std::string why;
  if (!item.read(wanted)) return false;
  const auto everybody = document.vocabulary.select("*", Place::target, why);
  if (wanted && everybody) document.attributes.push_back({{*everybody}, {{"randomize-client-port", {}}}});
  return true;
}

// What the top level may have.
bool check_name(std::string_view name, const Item& item) {
  for (const Unsupported& one : not_here)
    if (one.name == name) return item.unsupported(one.why);
  const bool known = name == "tests" || name == "sshtests" || name == "randomizeclientport" ||
                     std::any_of(std::begin(sections), std::end(sections),
                                 [name](const Section& s) { return s.name == name; });
  return known || item.unknown();
}

bool read_section(const Item& root, std::string_view wanted, const std::function<bool(const Item&)>& read) {
  return root.members([&](std::string_view name, const Item& item) { return name != wanted || read(item); });
}

bool read_document(const Item& root, Document& document) {
  if (!root.members(check_name)) return false;
  for (const Section& section : sections)
    if (!read_section(root, section.name, [&](const Item& item) { return section.read(item, document); }))
      return false;
  return read_section(root, "randomizeclientport",
                      [&](const Item& item) { return read_random_port(item, document); });
}

bool hold_all(const Item& root, const Document& document) {
  const Matcher matcher(document);
  return read_section(root, "tests", [&](const Item& item) { return hold_tests(item, document, matcher); }) &&
         read_section(root, "sshtests",
                      [&](const Item& item) { return hold_ssh_tests(item, document, matcher); });
}

void add_tag_admins(Document& document) {
  for (const std::string_view role : {"autogroup:owner", "autogroup:admin"}) {
    std::string why;
    if (const auto id = document.vocabulary.select(role, Place::owner, why))
      document.tag_admins.push_back(*id);
  }
}

}  // namespace
}  // namespace policy

PolicyResult PolicyFile::parse(std::string_view text, const PolicyRoles& roles) {
  using namespace policy;
  const auto refuse = [text](std::size_t offset, std::string message) {
    return PolicyResult{nullptr, error_at(text, offset, std::move(message))};
  };
  if (text.size() > max_size) return refuse(0, "the file has more than 1 MiB");

  std::string json(text);
  if (const auto endless = json::blank_extras(json))
    return refuse(*endless, text[*endless] == '"' ? "this text never ends" : "this comment never ends");
  json.append(json::padding, ' ');
  const Bytes bytes = as_bytes(json).first(text.size());

  json::Document parsed;
  const auto value = parsed.parse(bytes);
  if (!value)
    return refuse(json::broken_at(bytes),
                  "neither JSON nor a comment nor a trailing comma, or nested too deep");

  Refusal refusal;
  const Item root(*value, refusal);
  Document document(roles);
  if (!read_document(root, document) || !hold_all(root, document))
    return refuse(json::locate(bytes, refusal.path, refusal.of_name), std::move(refusal.message));
  add_tag_admins(document);
  return {std::make_shared<CompiledPolicy>(std::move(document)), {}};
}

}  // namespace ts2021
