// SPDX-License-Identifier: BSD-3-Clause
// NaCl boxes: the messages of the protocol before Noise (TS2019), and the proof of a node key.
#pragma once

#include <span>

#include "ts2021/base/bytes.h"
#include "ts2021/base/entropy.h"
#include "ts2021/base/result.h"
#include "ts2021/base/secret.h"
#include "ts2021/key/key.h"

namespace ts2021 {

// A box is a nonce of 24 bytes, a tag of 16, the ciphertext (BOX-1). The Diffie-Hellman part is done once,
// when the object is made, and is 23 times dearer than a box of 1 KiB: keep the object per machine. The key
// is the same for both directions and ends.
class NaclBox {
 public:
  static constexpr std::size_t nonce_size = 24;
  static constexpr std::size_t tag_size = 16;
  static constexpr std::size_t overhead = nonce_size + tag_size;

  // control_box with machine, node with challenge; both ways. Errors: low_order_key (the peer's key is zero
  // or of low order: anybody could make such boxes), misuse (our own key is zero).
  template <KeyKind Self, KeyKind Peer>
  [[nodiscard]] static Result<NaclBox> between(const PrivateKey<Self>& self,
                                               const PublicKey<Peer>& peer) noexcept {
    static_assert((Self == KeyKind::control_box && Peer == KeyKind::machine) ||
                      (Self == KeyKind::machine && Peer == KeyKind::control_box) ||
                      (Self == KeyKind::node && Peer == KeyKind::challenge) ||
                      (Self == KeyKind::challenge && Peer == KeyKind::node),
                  "keys of these kinds make no box");
    return between_bytes(self.reveal_bytes(), peer.bytes());
  }

  // One key for all messages and both directions (BOX-4), so a client must itself refuse an answer that is
  // its own request. `whole` has the plaintext behind `overhead` bytes of room and becomes the box, with a
  // nonce drawn from `entropy`. Error misuse when it is shorter than `overhead`.
  [[nodiscard]] Result<void> seal(MutableBytes whole, Entropy& entropy) const noexcept;
  // The plaintext, in place: a view inside `whole`, empty for an empty message. On bad_box the bytes are as
  // they were; answer 400.
  [[nodiscard]] Result<MutableBytes> open(MutableBytes whole) const noexcept;

 private:
  explicit NaclBox(Secret<32> shared) noexcept : shared_(std::move(shared)) {}
  [[nodiscard]] static Result<NaclBox> between_bytes(std::span<const std::uint8_t, 32> self,
                                                     std::span<const std::uint8_t, 32> peer) noexcept;
  Secret<32> shared_;
};

}  // namespace ts2021
