// SPDX-License-Identifier: BSD-3-Clause
// Published vectors for everything below the handshake.
#include "crypto/aead.h"
#include "crypto/argon2i.h"
#include "crypto/blake2s.h"
#include "crypto/box.h"
#include "crypto/ed25519.h"
#include "crypto/hex.h"
#include "crypto/hkdf.h"
#include "crypto/sha1.h"
#include "crypto/x25519.h"
#include "support/catch.h"
#include "support/support.h"
#include "ts2021/base/secret.h"

using namespace ts2021;
using test::Buffer;

namespace {

using Array32 = std::array<std::uint8_t, 32>;

Array32 array32(std::string_view hex) {
  const Buffer bytes = test::unhex(hex);
  REQUIRE(bytes.size() == 32);
  Array32 out;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

}  // namespace

TEST_CASE("SHA-1: FIPS 180 examples") {
  REQUIRE(test::hex(crypto::sha1(as_bytes("abc"))) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  REQUIRE(test::hex(crypto::sha1({})) == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  // RFC 6455, section 1.3.
  REQUIRE(test::hex(crypto::sha1(as_bytes("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))) ==
          "b37a4f2cc0624f1690f64606cf385945b2bec4ea");
}

TEST_CASE("BLAKE2s: RFC 7693 appendix B and E") {
  Array32 out;
  crypto::blake2s(out, {as_bytes("abc")});
  REQUIRE(test::hex(out) == "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
  crypto::blake2s(out, {as_bytes("a"), {}, as_bytes("bc")});
  REQUIRE(test::hex(out) == "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
  crypto::blake2s(out, {});
  REQUIRE(test::hex(out) == "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9");
}

TEST_CASE("HSK-3 HMAC is that of RFC 2104 and not the keyed hash; HKDF is its use of RFC 5869") {
  // From Python's hmac module with hashlib.blake2s.
  const Array32 key = array32("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  Array32 out, first, second;
  crypto::hmac_blake2s(out, key, as_bytes("abc"));
  REQUIRE(test::hex(out) == "82623be5bc0a391b24dce53e67d028eff92d586de0485ac37822e597d049c74f");
  Array32 split;
  crypto::hmac_blake2s(split, key, as_bytes("a"), as_bytes("bc"));
  REQUIRE(split == out);
  crypto::hkdf_blake2s(first, second, key, as_bytes("input"));
  REQUIRE(test::hex(first) == "87b7f70b24183c6db5dc4f6d9f4c47cdb203321aa2a0bef714896adb3107a040");
  REQUIRE(test::hex(second) == "538a02e1eb2e31b7e4d4b82476d1fe2acf50085d3fb584537279195f5d1f5824");
  crypto::hkdf_blake2s(out, key, as_bytes("input"));
  REQUIRE(out == first);
  Array32 salt = key;  // in place, as the handshake does it
  crypto::hkdf_blake2s(salt, second, salt, as_bytes("input"));
  REQUIRE(salt == first);
  REQUIRE(test::hex(second) == "538a02e1eb2e31b7e4d4b82476d1fe2acf50085d3fb584537279195f5d1f5824");
}

TEST_CASE("X25519: RFC 7748 sections 5.2 and 6.1") {
  Array32 out;
  REQUIRE(crypto::x25519(out, array32("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                         array32("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")));
  REQUIRE(test::hex(out) == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  // A point with bit 255 set.
  REQUIRE(crypto::x25519(out, array32("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
                         array32("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")));
  REQUIRE(test::hex(out) == "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
  crypto::x25519_base(out, array32("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  REQUIRE(test::hex(out) == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
}

TEST_CASE("HSK-7 X25519 reports every point of low order, with and without bit 255") {
  const Array32 scalar = array32("404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f");
  for (const std::string_view point : {"0000000000000000000000000000000000000000000000000000000000000000",
                                       "0100000000000000000000000000000000000000000000000000000000000000",
                                       "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                                       "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                                       "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                       "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                       "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"})
    for (const bool top : {false, true}) {
      Array32 raw = array32(point), out;
      out.fill(0xaa);
      if (top) raw[31] |= 0x80;
      REQUIRE_FALSE(crypto::x25519(out, scalar, raw));
      REQUIRE(out == Array32{});
      REQUIRE_FALSE(crypto::box_key(out, scalar, raw));
    }
}

TEST_CASE("Ed25519: RFC 8032 section 7.1, test 1") {
  std::array<std::uint8_t, 64> out;
  crypto::ed25519_from_seed(out, array32("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  REQUIRE(test::hex(Bytes(out).last(32)) ==
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  REQUIRE(test::hex(Bytes(out).first(32)) ==
          "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");

  std::array<std::uint8_t, 64> signature;
  crypto::ed25519_sign(signature, {}, out);
  REQUIRE(test::hex(signature) ==
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd2"
          "5bf5f0"
          "595bbe24655141438e7a100b");
  const auto open = Bytes(out).last<32>();
  REQUIRE(crypto::ed25519_verify(open, {}, signature));
  REQUIRE_FALSE(crypto::ed25519_verify(open, as_bytes("x"), signature));
  REQUIRE_FALSE(crypto::ed25519_verify(Bytes(out).first<32>(), {}, signature));
  test::flip_every_byte(signature, [&](const test::Buffer& changed, std::size_t) {
    return !crypto::ed25519_verify(open, {}, Bytes(changed).first<64>());
  });
}

TEST_CASE("Ed25519: keys of low order verify nothing") {
  // With R and key the neutral element and S zero every message would verify.
  std::array<std::uint8_t, 64> signature{1};
  std::array<std::uint8_t, 32> neutral{1};
  REQUIRE_FALSE(crypto::ed25519_verify(neutral, as_bytes("x"), signature));
}

TEST_CASE("Argon2i: a value of the reference implementation") {
  // Version 1.3: password "password", salt "somesalt", 2 passes, 256 KiB, 1 lane.
  std::array<std::uint8_t, 32> out;
  REQUIRE(crypto::argon2i(out, as_bytes("password"), as_bytes("somesalt"), {2, 256, 1}));
  REQUIRE(test::hex(out) == "89e9029f4637b295beb027056a7336c414fadd43f6b208645281cb214a56452f");
}

TEST_CASE("the record cipher and the handshake's cipher are the same one") {
  test::SeededEntropy entropy(3);
  crypto::Aead aead;
  const std::array<std::uint8_t, 12> zero_nonce{};
  for (const std::size_t size : std::initializer_list<std::size_t>{0, 1, 15, 16, 17, 63, 64, 65, 255, 256,
                                                                   257, 700, 1024, 4076, 4077}) {
    INFO("size " << size);
    Array32 key;
    entropy.fill(key);
    Buffer text(size), once;
    entropy.fill(text);
    once = text;
    const Buffer plain = text;
    text.reserve(1), once.reserve(1);  // empty is allowed, null is not
    std::array<std::uint8_t, 16> tag{}, once_tag{};
    aead.set_key(key);
    aead.seal(zero_nonce, text, tag);
    crypto::aead_seal_once(key, {}, once, once_tag);
    REQUIRE(text == once);
    REQUIRE(tag == once_tag);
    Buffer back = text;
    back.reserve(1);
    REQUIRE(aead.open(zero_nonce, back, tag));
    REQUIRE(back == plain);
    REQUIRE(crypto::aead_open_once(key, {}, once, tag));
    REQUIRE(once == plain);
    // Any other tag, nonce, key or text does not open; and the context is good afterwards.
    auto wrong = tag;
    wrong[size % 16] ^= 4;
    back = text;
    REQUIRE_FALSE(aead.open(zero_nonce, back, wrong));
    std::array<std::uint8_t, 12> other_nonce{};
    other_nonce[11] = 1;
    back = text;
    REQUIRE_FALSE(aead.open(other_nonce, back, tag));
    if (size > 0) {
      back = text;
      back[size / 2] ^= 1;
      REQUIRE_FALSE(aead.open(zero_nonce, back, tag));
    }
    aead.forget_key();
    back = text;
    REQUIRE_FALSE(aead.open(zero_nonce, back, tag));
    aead.set_key(key);
    back = text;
    REQUIRE(aead.open(zero_nonce, back, tag));
    REQUIRE(back == plain);
  }
}

TEST_CASE("a handshake text is bound to its additional data") {
  // RFC 8439 has no example with the zero nonce; this one was made with Python's cryptography package.
  const Array32 key = array32("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  Buffer text = test::buffer("machine key");
  std::array<std::uint8_t, 16> tag;
  crypto::aead_seal_once(key, as_bytes("hash"), text, tag);
  REQUIRE(test::hex(text) + test::hex(tag) == "473d79c557348beba6545c24617e760e6be79bbf7046e38ed67af1");
  Buffer wrong = text;
  REQUIRE_FALSE(crypto::aead_open_once(key, as_bytes("hasi"), wrong, tag));
  REQUIRE(crypto::aead_open_once(key, as_bytes("hash"), text, tag));
  REQUIRE(test::string(text) == "machine key");
}

TEST_CASE("hexadecimal: exactly the digits, of either case") {
  std::array<std::uint8_t, 3> out{};
  REQUIRE(crypto::decode_hex("00aBFf", out));
  REQUIRE(test::hex(out) == "00abff");
  for (const std::string_view bad :
       {"", "0", "00abf", "00abfff", "00abfg", "00 abf", "0x00ab", "00abf\n", ":0abff", "00:ab:ff"})
    REQUIRE_FALSE(crypto::decode_hex(bad, out));
  REQUIRE_FALSE(crypto::decode_hex(std::string_view("00ab\0f", 6), out));
  for (unsigned c = 0; c < 256; ++c) {
    const std::string text{'0', static_cast<char>(c)};
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    REQUIRE(crypto::decode_hex(text, std::span(out).first(1)) == digit);
  }
  std::string text(6, '?');
  crypto::encode_hex(std::array<std::uint8_t, 3>{0, 0x1f, 0xa9}, text);
  REQUIRE(text == "001fa9");
}
