// SPDX-License-Identifier: BSD-3-Clause
// What becomes of a register request: a table from what is known of it to an outcome. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ts2021::coord::registration {

enum class Form : std::uint8_t { good, malformed };                    // has a version and a node key
enum class Pace : std::uint8_t { calm, hasty };                        // of the machine
enum class Holder : std::uint8_t { nobody, stranger, live, expired };  // of the node key
enum class Wish : std::uint8_t { none, out, shorten };                 // `Expiry`: zero, past, to come
enum class Keys : std::uint8_t { valid, all_expired };                 // by order of the tailnet's owner
enum class Followup : std::uint8_t { none, waits, lost };  // waits: names the machine's login of this key
enum class Place : std::uint8_t { here, elsewhere };       // elsewhere: requires another tailnet
enum class AuthKey : std::uint8_t { none, unknown, revoked, expired, spent, good };
enum class Tags : std::uint8_t { granted, refused };         // wanted beside the auth key
enum class OldKey : std::uint8_t { none, locked, rotates };  // locked: signed, and this key is not
enum class Door : std::uint8_t { open, closed };             // whether people can log in

struct Facts {
  Form form{};
  Pace pace{};
  Holder holder{};
  Wish wish{};
  Keys keys{};
  Followup followup{};
  Place place{};
  AuthKey auth_key{};
  Tags tags{};
  OldKey old_key{};
  Door door{};
  friend bool operator==(const Facts&, const Facts&) = default;
};

enum class Outcome : std::uint8_t {
  malformed,     // 400
  slow_down,     // 429
  refused,       // Error: the text of the row
  bad_tags,      // Error, which names them
  log_out,       // the key expires now, an ephemeral node goes; NodeKeyExpired
  stay_out,      // nothing; NodeKeyExpired
  hold,          // no answer before the login is decided
  welcome,       // the record is brought up to date; success
  enroll,        // by auth key: the record is made or gets the new key; success
  sign_again,    // NodeKeySignature: the client signs its key with it and comes back
  rotate,        // the old key's record gets the new key; success
  ask_a_person,  // a login begins, or begins again under the same id; AuthURL
};
inline constexpr std::size_t outcome_count = 12;

// The values of one kind that a row takes; none named: all.
template <class E>
class Any {
 public:
  constexpr Any() = default;
  template <class... Es>
  constexpr Any(E first, Es... more) : bits_((bit(first) | ... | bit(more))) {}
  [[nodiscard]] constexpr bool has(E value) const { return bits_ == 0 || (bits_ & bit(value)) != 0; }

 private:
  static constexpr std::uint32_t bit(E value) { return 1u << static_cast<unsigned>(value); }
  std::uint32_t bits_ = 0;
};

struct Row {
  std::string_view when;  // in words: what the architecture page shows
  Outcome outcome;
  std::string_view rule;  // of WIRE.md
  std::string_view text{};
  Any<Form> form{};
  Any<Pace> pace{};
  Any<Holder> holder{};
  Any<Wish> wish{};
  Any<Keys> keys{};
  Any<Followup> followup{};
  Any<Place> place{};
  Any<AuthKey> auth_key{};
  Any<Tags> tags{};
  Any<OldKey> old_key{};
  Any<Door> door{};

  [[nodiscard]] constexpr bool takes(const Facts& facts) const {
    return form.has(facts.form) && pace.has(facts.pace) && holder.has(facts.holder) && wish.has(facts.wish) &&
           keys.has(facts.keys) && followup.has(facts.followup) && place.has(facts.place) &&
           auth_key.has(facts.auth_key) && tags.has(facts.tags) && old_key.has(facts.old_key) &&
           door.has(facts.door);
  }
};

// In order: the first row that takes the facts decides. The last takes everything.
[[nodiscard]] std::span<const Row> table() noexcept;
[[nodiscard]] const Row& row_for(const Facts& facts) noexcept;
[[nodiscard]] std::string_view name(Outcome outcome) noexcept;

}  // namespace ts2021::coord::registration
