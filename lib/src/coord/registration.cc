// SPDX-License-Identifier: BSD-3-Clause
#include "coord/registration.h"

namespace ts2021::coord::registration {
namespace {

constexpr Row rows[] = {
    {.when = "no version or no node key",  // API-40
     .outcome = Outcome::malformed,
     .rule = "API-40",
     .text = "the request has no version or no node key",
     .form = Form::malformed},
    {.when = "too many from this machine",  // API-80
     .outcome = Outcome::slow_down,
     .rule = "API-80",
     .text = "too many registrations: try again later",
     .pace = Pace::hasty},
    {.when = "the key is another machine's",  // API-42
     .outcome = Outcome::refused,
     .rule = "API-42",
     .text = "node key already in use",
     .holder = Holder::stranger},
    {.when = "`Expiry` is past, the key is known",  // API-43: before any look at auth keys
     .outcome = Outcome::log_out,
     .rule = "API-43",
     .holder = {Holder::live, Holder::expired},
     .wish = Wish::out},
    {.when = "`Expiry` is past, the key is unknown",
     .outcome = Outcome::stay_out,
     .rule = "API-43",
     .wish = Wish::out},
    {.when = "all keys have expired by order",  // API-96
     .outcome = Outcome::stay_out,
     .rule = "API-96",
     .keys = Keys::all_expired},
    {.when = "a followup of the machine's pending login of this key",  // API-82
     .outcome = Outcome::hold,
     .rule = "API-82",
     .followup = Followup::waits},
    {.when = "the key is known and lives",  // API-44: whatever auth key comes along
     .outcome = Outcome::welcome,
     .rule = "API-44",
     .holder = Holder::live},
    {.when = "the key has expired, no valid auth key",  // API-45
     .outcome = Outcome::stay_out,
     .rule = "API-45",
     .holder = Holder::expired,
     .auth_key = {AuthKey::none, AuthKey::unknown, AuthKey::revoked, AuthKey::expired, AuthKey::spent}},
    {.when = "requires another tailnet",  // API-81
     .outcome = Outcome::refused,
     .rule = "API-81",
     .text = "this server is another tailnet than the required one",
     .place = Place::elsewhere},
    {.when = "an unknown auth key",  // API-46
     .outcome = Outcome::refused,
     .rule = "API-46",
     .text = "invalid auth key",
     .auth_key = AuthKey::unknown},
    {.when = "a revoked auth key",
     .outcome = Outcome::refused,
     .rule = "API-46",
     .text = "authkey revoked",
     .auth_key = AuthKey::revoked},
    {.when = "an expired auth key",
     .outcome = Outcome::refused,
     .rule = "API-46",
     .text = "authkey expired",
     .auth_key = AuthKey::expired},
    {.when = "a spent auth key",
     .outcome = Outcome::refused,
     .rule = "API-46",
     .text = "authkey already used",
     .auth_key = AuthKey::spent},
    {.when = "a valid auth key, tags that it may not give",  // API-87
     .outcome = Outcome::bad_tags,
     .rule = "API-87",
     .auth_key = AuthKey::good,
     .tags = Tags::refused},
    {.when = "a valid auth key",  // API-50
     .outcome = Outcome::enroll,
     .rule = "API-50",
     .auth_key = AuthKey::good},
    {.when = "tailnet lock, `OldNodeKey` is signed and this key is not",  // API-88
     .outcome = Outcome::sign_again,
     .rule = "API-88",
     .old_key = OldKey::locked},
    {.when = "`OldNodeKey` lives and may be replaced silently",  // API-89
     .outcome = Outcome::rotate,
     .rule = "API-89",
     .old_key = OldKey::rotates},
    {.when = "nobody can log in here",  // API-41
     .outcome = Outcome::refused,
     .rule = "API-41",
     .text = "interactive login is not available on this server: use an auth key",
     .door = Door::closed},
    {.when = "else", .outcome = Outcome::ask_a_person, .rule = "API-83"},  // API-83
};
static_assert(rows[std::size(rows) - 1].takes(Facts{}));

}  // namespace

std::span<const Row> table() noexcept { return rows; }

const Row& row_for(const Facts& facts) noexcept {
  for (const Row& row : rows)
    if (row.takes(facts)) return row;
  return rows[std::size(rows) - 1];
}

std::string_view name(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::malformed:
      return "malformed";
    case Outcome::slow_down:
      return "slow down";
    case Outcome::refused:
      return "refused";
    case Outcome::bad_tags:
      return "bad tags";
    case Outcome::log_out:
      return "log out";
    case Outcome::stay_out:
      return "stay out";
    case Outcome::hold:
      return "hold";
    case Outcome::welcome:
      return "welcome";
    case Outcome::enroll:
      return "enroll";
    case Outcome::sign_again:
      return "sign again";
    case Outcome::rotate:
      return "rotate";
    case Outcome::ask_a_person:
      return "ask a person";
  }
  return {};
}

}  // namespace ts2021::coord::registration
