// SPDX-License-Identifier: BSD-3-Clause
#include "coord/tags.h"

#include <algorithm>

namespace ts2021::coord {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

template <class Allowed>
void take_wish(Allowed allowed, const std::vector<std::string>& wanted, NodeRecord& record, WallTime now) {
  if (wanted == record.requested_tags) return;
  const bool transition = wanted != tag_set(record.tags);
  // Tags are given back only by a new login.
  const bool granted = !wanted.empty() && allowed();
  record.requested_tags = wanted;
  if (!transition) return;
  if (!granted) {
    if (!record.key_expiry || *record.key_expiry > now) record.key_expiry = now;
    return;
  }
  record.tags = wanted;
  if (record.key_expiry && *record.key_expiry > now) record.key_expiry.reset();
}

}  // namespace

bool is_tag(std::string_view text) noexcept {
  constexpr std::string_view prefix = "tag:";
  if (!text.starts_with(prefix) || text.size() > 63) return false;
  text.remove_prefix(prefix.size());
  return !text.empty() && is_letter(text.front()) && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
  });
}

std::vector<std::string> tag_set(std::vector<std::string> tags, std::span<const std::string> more) {
  tags.insert(tags.end(), more.begin(), more.end());
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  return tags;
}

bool may_have(const Policy& policy, std::string_view login, std::span<const std::string> owner_tags,
              std::span<const std::string> wanted) {
  const std::string_view person = owner_tags.empty() ? login : std::string_view();
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& tag) {
    return std::find(owner_tags.begin(), owner_tags.end(), tag) != owner_tags.end() ||
           (is_tag(tag) && policy.may_tag(person, owner_tags, tag));
  });
}

std::string tags_refused(std::span<const std::string> wanted) {
  std::string out = "requested tags [";
  for (std::size_t i = 0; i < wanted.size() && out.size() < 400; ++i) out += (i ? " " : "") + wanted[i];
  return out + "] are invalid or not permitted";
}

void change_tags(const std::optional<TagOwners>& owners, std::vector<std::string> wanted, NodeRecord& record,
                 WallTime now) {
  if (!owners) {
    record.requested_tags = std::move(wanted);
    return;
  }
  const auto may_take = [&](const std::string& tag) {  // TEST-12
    const auto of = owners->find(tag);
    return of != owners->end() &&
           (record.tags.empty() || std::any_of(record.tags.begin(), record.tags.end(), [&](const auto& one) {
              return std::find(of->second.begin(), of->second.end(), one) != of->second.end();
            }));
  };
  take_wish([&] { return std::all_of(wanted.begin(), wanted.end(), may_take); }, wanted, record, now);
}

void change_tags(const Policy& policy, std::string_view login, std::vector<std::string> wanted,
                 NodeRecord& record, WallTime now) {
  take_wish([&] { return may_have(policy, login, record.tags, wanted); }, wanted, record, now);
}

}  // namespace ts2021::coord
