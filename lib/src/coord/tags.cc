// SPDX-License-Identifier: BSD-3-Clause
#include "coord/tags.h"

#include <algorithm>

namespace ts2021::coord {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

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

void change_tags(const Policy& policy, std::string_view login, std::vector<std::string> wanted,
                 NodeRecord& record, WallTime now) {
  if (wanted == record.requested_tags) return;
  const bool transition = wanted != tag_set(record.tags);
  // Tags are given back only by a new login.
  const bool allowed = !wanted.empty() && may_have(policy, login, record.tags, wanted);
  record.requested_tags = wanted;
  if (!transition) return;
  if (!allowed) {
    if (!record.key_expiry || *record.key_expiry > now) record.key_expiry = now;
    return;
  }
  record.tags = std::move(wanted);
  if (record.key_expiry && *record.key_expiry > now) record.key_expiry.reset();
}

}  // namespace ts2021::coord
