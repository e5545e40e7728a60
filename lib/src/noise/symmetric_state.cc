// SPDX-License-Identifier: BSD-3-Clause
#include "noise/symmetric_state.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "crypto/aead.h"
#include "crypto/blake2s.h"
#include "crypto/hkdf.h"
#include "crypto/x25519.h"

namespace ts2021::noise {
namespace {

constexpr std::size_t tag_size = 16;

// HSK-1. BLAKE2s of "Noise_IK_25519_ChaChaPoly_BLAKE2s": the name has 33 bytes, one more than a hash, and is
// therefore hashed (Noise 5.2). A test recomputes it.
constexpr std::array<std::uint8_t, 32> protocol_hash = {
    0xbb, 0xea, 0x02, 0x2b, 0x94, 0x8c, 0xf3, 0xbc, 0x58, 0x57, 0xd7, 0x08, 0x04, 0x22, 0x91, 0x79,
    0xe1, 0x11, 0x6b, 0xc4, 0x0c, 0xb8, 0xcc, 0x07, 0x48, 0x35, 0x34, 0x9c, 0x46, 0x4b, 0xca, 0x36};

constexpr std::string_view prologue_text = "Tailscale Control Protocol v";

}  // namespace

std::array<std::uint8_t, 32> SymmetricState::start_hash(ProtocolVersion version,
                                                        std::span<const std::uint8_t, 32> server) noexcept {
  std::array<char, prologue_text.size() + 5> prologue;  // HSK-2: decimal, no leading zeros, no terminator
  char* const digits = std::copy(prologue_text.begin(), prologue_text.end(), prologue.data());
  char* const end =
      std::to_chars(digits, prologue.data() + prologue.size(), static_cast<std::uint16_t>(version)).ptr;
  std::array<std::uint8_t, 32> hash = protocol_hash;
  crypto::blake2s(
      hash,
      {hash, as_bytes(std::string_view(prologue.data(), static_cast<std::size_t>(end - prologue.data())))});
  crypto::blake2s(hash, {hash, server});
  return hash;
}

SymmetricState::SymmetricState(std::span<const std::uint8_t, 32> start) noexcept
    : SymmetricState(start, Secret<32>(protocol_hash)) {}

SymmetricState::SymmetricState(std::span<const std::uint8_t, 32> hash, Secret<32> chain) noexcept
    : chain_(std::move(chain)) {
  std::copy(hash.begin(), hash.end(), hash_.begin());
}

void SymmetricState::mix_hash(Bytes data) noexcept { crypto::blake2s(hash_, {hash_, data}); }

bool SymmetricState::mix_key(std::span<const std::uint8_t, 32> secret,
                             std::span<const std::uint8_t, 32> point) noexcept {
  Secret<32> shared;
  if (!crypto::x25519(shared.bytes(), secret, point)) return false;
  mix_shared(shared.bytes());
  return true;
}

void SymmetricState::mix_shared(std::span<const std::uint8_t, 32> shared) noexcept {
  crypto::hkdf_blake2s(chain_.bytes(), key_.bytes(), chain_.bytes(), shared);
}

bool SymmetricState::mix_chain(std::span<const std::uint8_t, 32> secret,
                               std::span<const std::uint8_t, 32> point) noexcept {
  Secret<32> shared;
  if (!crypto::x25519(shared.bytes(), secret, point)) return false;
  crypto::hkdf_blake2s(chain_.bytes(), chain_.bytes(), shared.bytes());
  return true;
}

void SymmetricState::seal(MutableBytes whole) noexcept {
  crypto::aead_seal_once(key_.bytes(), hash_, whole.first(whole.size() - tag_size), whole.last<tag_size>());
  mix_hash(whole);
  key_.clear();
}

bool SymmetricState::open(MutableBytes whole) noexcept {
  std::array<std::uint8_t, 32> next;
  crypto::blake2s(next, {hash_, whole});  // of the ciphertext, which is gone afterwards
  const bool good = crypto::aead_open_once(key_.bytes(), hash_, whole.first(whole.size() - tag_size),
                                           whole.last<tag_size>());
  hash_ = next;
  key_.clear();
  return good;
}

void SymmetricState::split(std::span<std::uint8_t, 32> up, std::span<std::uint8_t, 32> down) noexcept {
  crypto::hkdf_blake2s(up, down, chain_.bytes(), {});
  chain_.clear();
}

}  // namespace ts2021::noise
