// SPDX-License-Identifier: BSD-3-Clause
// Typed keys and their text forms (KEY-1 to KEY-7 of lib/WIRE.md).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ts2021/base/bytes.h"
#include "ts2021/base/entropy.h"
#include "ts2021/base/result.h"
#include "ts2021/base/secret.h"

namespace ts2021 {

// The server's two keys are different types although both print as "mkey:": they cannot be mixed up.
enum class KeyKind : std::uint8_t {
  machine,
  control_noise,
  control_box,
  node,
  disco,
  challenge,
  tailnet_lock
};

template <KeyKind K>
inline constexpr std::size_t secret_size = K == KeyKind::tailnet_lock ? 64 : 32;  // seed, then public key
template <KeyKind K>
inline constexpr bool has_secret_text = K != KeyKind::disco&& K != KeyKind::challenge;

template <KeyKind K>
class PublicKey {
 public:
  static constexpr std::size_t size = 32;

  PublicKey() noexcept = default;  // the zero key: "absent" on the wire
  // "mkey:" + 64 hex digits of either case; exactly, no spaces. Error bad_key_text never carries the input.
  [[nodiscard]] static Result<PublicKey> parse(std::string_view text) noexcept;
  // 64 bare hex digits, as TS2019 has them in paths and in the oldest answer of /key.
  [[nodiscard]] static Result<PublicKey> parse_bare(std::string_view hex) noexcept
      requires(K == KeyKind::machine || K == KeyKind::control_box);
  [[nodiscard]] static PublicKey from_bytes(std::span<const std::uint8_t, size> raw) noexcept;

  [[nodiscard]] bool is_zero() const noexcept;
  // False for values ≥ 2^255 − 19 or with bit 255 set: no honest machine makes one (HSK-9).
  [[nodiscard]] bool is_canonical() const noexcept;
  [[nodiscard]] std::span<const std::uint8_t, size> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::string text() const;  // with prefix, lower case
  static constexpr std::size_t max_text_size = 80;
  char* write_text(char* out) const noexcept;    // the same to where max_text_size bytes have room; the end
  [[nodiscard]] std::string bare_text() const;   // 64 hex digits
  [[nodiscard]] std::string short_text() const;  // "[abcde]" for logs, empty for the zero key; never parsed

  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;

 private:
  std::array<std::uint8_t, size> bytes_{};
};

// Move-only, wiped when destroyed. The only way to print one is a call that reviewers can grep for.
template <KeyKind K>
class PrivateKey {
 public:
  PrivateKey() noexcept = default;  // zero: is_zero() is true, every use of it is misuse
  [[nodiscard]] static PrivateKey generate(Entropy& entropy) noexcept;  // clamped
  [[nodiscard]] static Result<PrivateKey> parse(std::string_view text) noexcept requires has_secret_text<K>;
  // Keeps the bytes as they are: clamping happens on use, never on a stored key.
  [[nodiscard]] static PrivateKey from_bytes(std::span<const std::uint8_t, secret_size<K>> raw) noexcept;

  [[nodiscard]] bool is_zero() const noexcept;
  [[nodiscard]] PublicKey<K> public_key() const noexcept;
  [[nodiscard]] std::string reveal_text() const requires has_secret_text<K>;
  // For the protocols of this library; nothing else should need it.
  [[nodiscard]] std::span<const std::uint8_t, secret_size<K>> reveal_bytes() const noexcept {
    return bytes_.bytes();
  }

 private:
  Secret<secret_size<K>> bytes_;
};

template <KeyKind K>
struct KeyPair {
  PrivateKey<K> secret;
  PublicKey<K> open;  // computed once, so that a handshake does not pay for it
  [[nodiscard]] static KeyPair generate(Entropy& entropy) noexcept {
    return from(PrivateKey<K>::generate(entropy));
  }
  [[nodiscard]] static KeyPair from(PrivateKey<K> secret) noexcept {
    PublicKey<K> open = secret.public_key();
    return {std::move(secret), open};
  }
};

using MachinePublic = PublicKey<KeyKind::machine>;
using MachinePrivate = PrivateKey<KeyKind::machine>;
using MachineKeyPair = KeyPair<KeyKind::machine>;
using NodePublic = PublicKey<KeyKind::node>;
using NodePrivate = PrivateKey<KeyKind::node>;
using DiscoPublic = PublicKey<KeyKind::disco>;
using DiscoPrivate = PrivateKey<KeyKind::disco>;
using ChallengePublic = PublicKey<KeyKind::challenge>;
using ChallengePrivate = PrivateKey<KeyKind::challenge>;
using TailnetLockPublic = PublicKey<KeyKind::tailnet_lock>;
using TailnetLockPrivate = PrivateKey<KeyKind::tailnet_lock>;
using ControlNoisePublic = PublicKey<KeyKind::control_noise>;
using ControlNoisePrivate = PrivateKey<KeyKind::control_noise>;
using ControlNoisePair = KeyPair<KeyKind::control_noise>;
using ControlBoxPublic = PublicKey<KeyKind::control_box>;
using ControlBoxPrivate = PrivateKey<KeyKind::control_box>;
using ControlBoxPair = KeyPair<KeyKind::control_box>;

// The two keys of a server must differ (KEY-6): error equal_keys.
[[nodiscard]] Result<void> check_distinct(const ControlNoisePublic& noise,
                                          const ControlBoxPublic& box) noexcept;

// Hardware attestation keys are opaque here: "hwattestpub:" and 130 hex digits, empty text for none.
class HardwareAttestationPublic {
 public:
  [[nodiscard]] static Result<HardwareAttestationPublic> parse(std::string_view text) noexcept;
  [[nodiscard]] bool is_zero() const noexcept;
  [[nodiscard]] std::string text() const;  // empty for none
  friend bool operator==(const HardwareAttestationPublic&, const HardwareAttestationPublic&) = default;

 private:
  std::array<std::uint8_t, 65> bytes_{};
};

// The 16 bits of the initiation header: the client's capability version.
enum class ProtocolVersion : std::uint16_t {};

}  // namespace ts2021
