// SPDX-License-Identifier: BSD-3-Clause
#include "admin/logins.h"

namespace ts2021::admin {

std::string_view login_id(std::string_view url) noexcept {
  for (const std::string_view mark : {"/auth/", "/a/"})
    if (const std::size_t at = url.find(mark); at != url.npos) return url.substr(at + mark.size());
  return {};
}

void Logins::told(const std::string& url, const NodePublic& node) {
  const std::string id(login_id(url));
  if (id.empty() || !logins_.try_emplace(id, Login{node, url}).second) return;
  order_.push_back(id);
  if (order_.size() <= max_kept) return;
  logins_.erase(order_.front());
  order_.pop_front();
}

Logins::Login* Logins::find(std::string_view id) {
  const auto at = logins_.find(id);
  return at == logins_.end() ? nullptr : &at->second;
}

}  // namespace ts2021::admin
