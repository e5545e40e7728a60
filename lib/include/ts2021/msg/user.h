// SPDX-License-Identifier: BSD-3-Clause
// Who owns nodes.
#pragma once

#include <string>
#include <vector>

#include "ts2021/msg/field.h"
#include "ts2021/msg/id.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

// In RegisterResponse.
struct User {
  UserId id{};
  std::string display_name;
  std::string profile_pic_url;  // absolute, or empty
  Time created;
  friend bool operator==(const User&, const User&) = default;
};
constexpr auto fields(const User*) {
  return std::tuple{always<"ID", &User::id>, always_plain<"DisplayName", &User::display_name>,
                    Field<"ProfilePicURL", &User::profile_pic_url>{.absolute_url = true},
                    Field<"Created", &User::created>{}};
}

// In RegisterResponse. `login_name` must not be empty on success.
struct Login {
  LoginId id{};
  std::string provider, login_name, display_name;
  std::string profile_pic_url;  // absolute, or empty
  friend bool operator==(const Login&, const Login&) = default;
};
constexpr auto fields(const Login*) {
  return std::tuple{always<"ID", &Login::id>, always_plain<"Provider", &Login::provider>,
                    always_plain<"LoginName", &Login::login_name>,
                    always_plain<"DisplayName", &Login::display_name>,
                    Field<"ProfilePicURL", &Login::profile_pic_url>{.absolute_url = true}};
}

// In MapResponse: what Node.User and Node.Sharer refer to.
struct UserProfile {
  UserId id{};
  std::string login_name, display_name;
  std::string profile_pic_url;      // absolute, or empty
  std::vector<std::string> groups;  // sorted; only for releases around 1.50
  friend bool operator==(const UserProfile&, const UserProfile&) = default;
};
constexpr auto fields(const UserProfile*) {
  return std::tuple{always<"ID", &UserProfile::id>, always_plain<"LoginName", &UserProfile::login_name>,
                    always_plain<"DisplayName", &UserProfile::display_name>,
                    Field<"ProfilePicURL", &UserProfile::profile_pic_url>{.absolute_url = true},
                    Field<"Groups", &UserProfile::groups>{.since = Capability::user_groups,
                                                          .until = Capability::no_user_groups}};
}
[[nodiscard]] inline bool valid(const UserProfile& profile) { return profile.id != UserId{}; }

}  // namespace ts2021
