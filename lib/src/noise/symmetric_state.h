// SPDX-License-Identifier: BSD-3-Clause
// Noise's symmetric state for one suite: Noise_IK_25519_ChaChaPoly_BLAKE2s.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "ts2021/base/bytes.h"
#include "ts2021/base/secret.h"
#include "ts2021/key/key.h"

namespace ts2021::noise {

// h and ck of the handshake (HSK-3). A key made by mix_key() encrypts at most one text and is then erased.
class SymmetricState {
 public:
  // h after the first three steps: protocol name, prologue with the version, the server's static key. Public,
  // and the same in every handshake of this version and key.
  [[nodiscard]] static std::array<std::uint8_t, 32> start_hash(
      ProtocolVersion version, std::span<const std::uint8_t, 32> server) noexcept;
  // Goes on from start_hash().
  explicit SymmetricState(std::span<const std::uint8_t, 32> start) noexcept;
  SymmetricState(ProtocolVersion version, std::span<const std::uint8_t, 32> server) noexcept
      : SymmetricState(start_hash(version, server)) {}
  // Goes on where another one ended.
  SymmetricState(std::span<const std::uint8_t, 32> hash, Secret<32> chain) noexcept;

  void mix_hash(Bytes data) noexcept;
  // False when the Diffie-Hellman result is all zero (HSK-7): the handshake must end.
  [[nodiscard]] bool mix_key(std::span<const std::uint8_t, 32> secret,
                             std::span<const std::uint8_t, 32> point) noexcept;
  // The same for a result that is known and not zero.
  void mix_shared(std::span<const std::uint8_t, 32> shared) noexcept;
  // As mix_key(), where no text follows before the next key, as after ee: only the chain goes on.
  [[nodiscard]] bool mix_chain(std::span<const std::uint8_t, 32> secret,
                               std::span<const std::uint8_t, 32> point) noexcept;
  // In place; the tag goes behind the text. `whole` is text and room for the tag.
  void seal(MutableBytes whole) noexcept;
  // In place; the text is whole without the last 16 bytes. False: wrong tag, and the handshake must end.
  [[nodiscard]] bool open(MutableBytes whole) noexcept;
  // Record keys: client to server, server to client.
  void split(std::span<std::uint8_t, 32> up, std::span<std::uint8_t, 32> down) noexcept;

  [[nodiscard]] std::span<const std::uint8_t, 32> hash() const noexcept { return hash_; }
  [[nodiscard]] Secret<32> take_chain() && noexcept { return std::move(chain_); }
  // For vectors.
  [[nodiscard]] std::span<const std::uint8_t, 32> chain() const noexcept { return chain_.bytes(); }
  [[nodiscard]] std::span<const std::uint8_t, 32> key() const noexcept { return key_.bytes(); }

 private:
  std::array<std::uint8_t, 32> hash_{};
  Secret<32> chain_, key_;
};

}  // namespace ts2021::noise
