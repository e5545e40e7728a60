// SPDX-License-Identifier: BSD-3-Clause
// What becomes of a register request in test mode: a smaller table in place of coord/registration.h. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "coord/registration.h"

namespace ts2021::coord::test_registration {

using registration::Any;
using registration::Door;
using registration::Form;
using registration::Holder;
using registration::Keys;
using registration::Wish;

enum class AuthKey : std::uint8_t { none, given, wrong };            // wrong: another than the rules require
enum class Followup : std::uint8_t { none, waits, failed, passed };  // passed: completed, or not known
enum class OldKey : std::uint8_t { none, locked, known };            // known: a node of the same machine
enum class Login : std::uint8_t { free, needed };                    // of a person, for this node key

struct Facts {
  Form form{};
  AuthKey auth_key{};
  Holder holder{};
  Wish wish{};
  Keys keys{};
  Followup followup{};
  OldKey old_key{};
  Login login{};
  Door door{};
  friend bool operator==(const Facts&, const Facts&) = default;
};

enum class Outcome : std::uint8_t {
  malformed,       // 400
  refused,         // Error: the text of the row
  log_out,         // the key expires now; NodeKeyExpired
  stay_out,        // nothing; NodeKeyExpired
  hold,            // no answer before the login is decided
  tell_failure,    // Error: what ended the login
  sign_again,      // NodeKeySignature: the client signs its key with it and comes back
  ask,             // AuthURL
  welcome,         // the record is brought up to date; success
  renew,           // the same, and the key lives again
  move,            // the old key's record gets the new key; success
  create,          // a new node; success
  create_and_ask,  // a new node; AuthURL
};
inline constexpr std::size_t outcome_count = 13;

struct Row {
  std::string_view when;  // in words: what the architecture page shows
  Outcome outcome;
  std::string_view rule;  // of WIRE.md
  std::string_view text{};
  Any<Form> form{};
  Any<AuthKey> auth_key{};
  Any<Holder> holder{};
  Any<Wish> wish{};
  Any<Keys> keys{};
  Any<Followup> followup{};
  Any<OldKey> old_key{};
  Any<Login> login{};
  Any<Door> door{};

  [[nodiscard]] constexpr bool takes(const Facts& facts) const {
    return form.has(facts.form) && auth_key.has(facts.auth_key) && holder.has(facts.holder) &&
           wish.has(facts.wish) && keys.has(facts.keys) && followup.has(facts.followup) &&
           old_key.has(facts.old_key) && login.has(facts.login) && door.has(facts.door);
  }
};

// In order: the first row that takes the facts decides. The last takes everything.
[[nodiscard]] std::span<const Row> table() noexcept;
[[nodiscard]] const Row& row_for(const Facts& facts) noexcept;
[[nodiscard]] std::string_view name(Outcome outcome) noexcept;

}  // namespace ts2021::coord::test_registration
