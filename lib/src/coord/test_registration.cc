// SPDX-License-Identifier: BSD-3-Clause
#include "coord/test_registration.h"

namespace ts2021::coord::test_registration {
namespace {

constexpr Row rows[] = {
    {.when = "no version or no node key",
     .outcome = Outcome::malformed,
     .rule = "API-40",
     .text = "the request has no version or no node key",
     .form = Form::malformed},
    {.when = "not the required auth key",  // TEST-6: also of known nodes and at logout
     .outcome = Outcome::refused,
     .rule = "TEST-6",
     .text = "invalid authkey",
     .auth_key = AuthKey::wrong},
    {.when = "the key is another machine's",
     .outcome = Outcome::refused,
     .rule = "API-42",
     .text = "node key already in use",
     .holder = Holder::stranger},
    {.when = "`Expiry` is past, the key is known",
     .outcome = Outcome::log_out,
     .rule = "API-43",
     .holder = {Holder::live, Holder::expired},
     .wish = Wish::out},
    {.when = "`Expiry` is past, the key is unknown",
     .outcome = Outcome::stay_out,
     .rule = "API-43",
     .wish = Wish::out},
    {.when = "all keys have expired by order",
     .outcome = Outcome::stay_out,
     .rule = "API-96",
     .keys = Keys::all_expired},
    {.when = "a followup of a login that is open",  // TEST-7
     .outcome = Outcome::hold,
     .rule = "TEST-7",
     .followup = Followup::waits},
    {.when = "a followup of a login that has failed",
     .outcome = Outcome::tell_failure,
     .rule = "TEST-7",
     .followup = Followup::failed},
    {.when = "the key has expired, no auth key",
     .outcome = Outcome::stay_out,
     .rule = "API-45",
     .auth_key = AuthKey::none,
     .holder = Holder::expired},
    {.when = "the key has expired, a login is needed",  // TEST-8: the next key is asked for it
     .outcome = Outcome::stay_out,
     .rule = "TEST-8",
     .holder = Holder::expired,
     .login = Login::needed},
    {.when = "tailnet lock, `OldNodeKey` is signed and this key is not",
     .outcome = Outcome::sign_again,
     .rule = "API-88",
     .holder = Holder::nobody,
     .old_key = OldKey::locked},
    {.when = "a login is needed, nobody can log in here",
     .outcome = Outcome::refused,
     .rule = "API-41",
     .text = "interactive login is not available on this server",
     .login = Login::needed,
     .door = Door::closed},
    {.when = "a login is needed, the key is unknown and so is `OldNodeKey`",  // TEST-9
     .outcome = Outcome::create_and_ask,
     .rule = "TEST-9",
     .holder = Holder::nobody,
     .old_key = OldKey::none,
     .login = Login::needed},
    {.when = "a login is needed",  // TEST-8
     .outcome = Outcome::ask,
     .rule = "TEST-8",
     .login = Login::needed},
    {.when = "the key is known and lives",
     .outcome = Outcome::welcome,
     .rule = "API-44",
     .holder = Holder::live},
    {.when = "the key has expired",  // TEST-6: any auth key will do
     .outcome = Outcome::renew,
     .rule = "TEST-6",
     .holder = Holder::expired},
    {.when = "`OldNodeKey` is known",  // TEST-10
     .outcome = Outcome::move,
     .rule = "TEST-10",
     .old_key = OldKey::known},
    {.when = "else", .outcome = Outcome::create, .rule = "TEST-1"},  // TEST-1
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
    case Outcome::refused:
      return "refused";
    case Outcome::log_out:
      return "log out";
    case Outcome::stay_out:
      return "stay out";
    case Outcome::hold:
      return "hold";
    case Outcome::tell_failure:
      return "tell the failure";
    case Outcome::sign_again:
      return "sign again";
    case Outcome::ask:
      return "ask a person";
    case Outcome::welcome:
      return "welcome";
    case Outcome::renew:
      return "renew";
    case Outcome::move:
      return "move to the new key";
    case Outcome::create:
      return "create";
    case Outcome::create_and_ask:
      return "create, ask a person";
  }
  return {};
}

}  // namespace ts2021::coord::test_registration
