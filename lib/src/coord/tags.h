// SPDX-License-Identifier: BSD-3-Clause
// Tags that nodes want for themselves.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/base/time.h"
#include "ts2021/coord/policy.h"

namespace ts2021::coord {

// "tag:" and a letter, then letters, digits and dashes; at most 63 characters.
[[nodiscard]] bool is_tag(std::string_view text) noexcept;
// Sorted, each once.
[[nodiscard]] std::vector<std::string> tag_set(std::vector<std::string> tags,
                                               std::span<const std::string> more = {});
// Whether each of `wanted` is a tag that a bearer of `owner_tags` may have: one of them, or one that the
// policy lets it take; without owner tags, the user. (API-87)
[[nodiscard]] bool may_have(const Policy& policy, std::string_view login,
                            std::span<const std::string> owner_tags, std::span<const std::string> wanted);
// What the node's user is told.
[[nodiscard]] std::string tags_refused(std::span<const std::string> wanted);

// In test mode: who may take what is said by the owners of each tag. A node without tags may take every tag
// that has owners, one with tags what one of them owns; without a table tags stay as they are (TEST-12).
using TagOwners = std::map<std::string, std::vector<std::string>>;
void change_tags(const std::optional<TagOwners>& owners, std::vector<std::string> wanted, NodeRecord& record,
                 WallTime now);

// The complete wish of a node that is in. It counts only when it is another than its last one and than what
// the node bears (API-90): then the node gets these tags and keeps its key, or its key expires now.
void change_tags(const Policy& policy, std::string_view login, std::vector<std::string> wanted,
                 NodeRecord& record, WallTime now);

}  // namespace ts2021::coord
