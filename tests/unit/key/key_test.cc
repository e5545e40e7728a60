// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/key/key.h"

#include <type_traits>

#include "support/catch.h"
#include "support/support.h"

using namespace ts2021;

namespace {

// The worked example of a machine key: clamped, with its public half.
const std::string secret_digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e5f";
const std::string open_digits = "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f";
const std::string zeros(64, '0');

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

// Every way to spoil a good text; `parse` must refuse each.
template <class Parse>
void refuses_every_variant(const std::string& prefix, const std::string& digits, Parse parse) {
  REQUIRE(parse(prefix + digits));
  REQUIRE(parse(prefix + upper(digits)));
  std::vector<std::string> bad{"",
                               prefix,
                               digits,
                               prefix.substr(0, prefix.size() - 1) + digits,
                               prefix + prefix + digits,
                               " " + prefix + digits,
                               prefix + " " + digits,
                               prefix + digits + " ",
                               prefix + digits + "\n",
                               prefix + digits + std::string(1, '\0'),
                               prefix + digits + "0",
                               prefix + digits + "00",
                               prefix + digits.substr(1),
                               prefix + digits.substr(2),
                               prefix + "0x" + digits,
                               prefix + "0x" + digits.substr(2),
                               prefix + digits.substr(0, digits.size() - 1) + "g",
                               prefix + "-" + digits.substr(1),
                               prefix + digits.substr(0, 32) + ":" + digits.substr(33)};
  std::string shout = prefix;
  shout[0] = static_cast<char>(shout[0] - 'a' + 'A');
  bad.push_back(shout + digits);
  for (const char* const other : {"mkey:", "nodekey:", "discokey:", "chalpub:", "nlpub:", "tlpub:",
                                  "privkey:", "nlpriv:", "hwattestpub:"})
    if (other != prefix && !(prefix == "nlpub:" && other == std::string("tlpub:")))
      bad.push_back(other + digits);
  for (const std::string& text : bad) {
    INFO("'" << text << "'");
    REQUIRE_FALSE(parse(text));
  }
  for (std::size_t i = 0; i < prefix.size() + digits.size(); ++i)
    for (const char c : {'\x01', '\x7f', '\xff', 'x', ' '}) {
      std::string text = prefix + digits;
      text[i] = c;
      INFO("'" << text << "'");
      REQUIRE_FALSE(parse(text));
    }
}

template <KeyKind K>
void check_public(const std::string& prefix) {
  refuses_every_variant(prefix, open_digits, [](const std::string& text) -> bool {
    const auto key = PublicKey<K>::parse(text);
    if (!key) REQUIRE(key.error() == fail(Errc::bad_key_text, 100));
    return key.has_value();
  });
  const auto key = PublicKey<K>::parse(prefix + upper(open_digits));
  REQUIRE(key);
  REQUIRE(key->text() == prefix + open_digits);
  REQUIRE(key->bare_text() == open_digits);
  REQUIRE(test::hex(key->bytes()) == open_digits);
  REQUIRE(PublicKey<K>::from_bytes(key->bytes()) == *key);
  REQUIRE_FALSE(key->is_zero());
  const auto zero = PublicKey<K>::parse(prefix + zeros);
  REQUIRE(zero);
  REQUIRE(zero->is_zero());
  REQUIRE(*zero == PublicKey<K>{});
  REQUIRE(zero->text() == prefix + zeros);
  REQUIRE(zero->short_text().empty());
}

template <KeyKind K>
void check_private() {
  refuses_every_variant("privkey:", secret_digits, [](const std::string& text) -> bool {
    const auto key = PrivateKey<K>::parse(text);
    if (!key) REQUIRE(key.error() == fail(Errc::bad_key_text, 102));
    return key.has_value();
  });
  const auto key = PrivateKey<K>::parse("privkey:" + upper(secret_digits));
  REQUIRE(key);
  REQUIRE(key->reveal_text() == "privkey:" + secret_digits);
  REQUIRE(key->public_key().bare_text() == open_digits);
  const auto zero = PrivateKey<K>::parse("privkey:" + zeros);
  REQUIRE(zero);
  REQUIRE(zero->is_zero());
  REQUIRE(zero->public_key().is_zero());
}

}  // namespace

TEST_CASE("KEY-1 KEY-2 public keys: one text each, of either case, and nothing else") {
  check_public<KeyKind::machine>("mkey:");
  check_public<KeyKind::control_noise>("mkey:");
  check_public<KeyKind::control_box>("mkey:");
  check_public<KeyKind::node>("nodekey:");
  check_public<KeyKind::disco>("discokey:");
  check_public<KeyKind::challenge>("chalpub:");
  check_public<KeyKind::tailnet_lock>("nlpub:");
}

TEST_CASE("KEY-1 a tailnet lock key is read in its display form and written in the other") {
  const auto key = TailnetLockPublic::parse("tlpub:" + open_digits);
  REQUIRE(key);
  REQUIRE(key->text() == "nlpub:" + open_digits);
}

TEST_CASE("KEY-3 private machine, node and server keys share a text; tailnet lock keys have their own") {
  check_private<KeyKind::machine>();
  check_private<KeyKind::node>();
  check_private<KeyKind::control_noise>();
  check_private<KeyKind::control_box>();
  // RFC 8032, test 1: seed, then public key.
  const std::string lock =
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
  refuses_every_variant("nlpriv:", lock, [](const std::string& text) -> bool {
    return TailnetLockPrivate::parse(text).has_value();
  });
  const auto key = TailnetLockPrivate::parse("nlpriv:" + lock);
  REQUIRE(key->reveal_text() == "nlpriv:" + lock);
  REQUIRE(key->public_key().text() == "nlpub:" + lock.substr(64));
  test::FixedEntropy entropy(test::unhex(lock.substr(0, 64)));
  REQUIRE(TailnetLockPrivate::generate(entropy).reveal_text() == "nlpriv:" + lock);
}

TEST_CASE("KEY-4 keys are clamped when made, kept as they are when read, and clamped on use") {
  test::FixedEntropy entropy(test::Buffer(32, 0xff));
  const auto made = MachinePrivate::generate(entropy);
  REQUIRE(made.reveal_text() == "privkey:f8" + std::string(60, 'f') + "7f");
  test::FixedEntropy low(test::Buffer(32, 0x00));
  REQUIRE(NodePrivate::generate(low).reveal_text() == "privkey:" + std::string(62, '0') + "40");
  const auto unclamped = MachinePrivate::parse("privkey:" + std::string(64, 'f'));
  REQUIRE(unclamped->reveal_text() == "privkey:" + std::string(64, 'f'));
  REQUIRE(unclamped->public_key() == made.public_key());
}

TEST_CASE("KEY-5 bare digits, for TS2019 only") {
  const auto key = MachinePublic::parse_bare(open_digits);
  REQUIRE(key);
  REQUIRE(key->text() == "mkey:" + open_digits);
  REQUIRE(ControlBoxPublic::parse_bare(upper(open_digits))->bare_text() == open_digits);
  for (const std::string& bad :
       {std::string{}, "mkey:" + open_digits, open_digits.substr(1), open_digits + "0",
        " " + open_digits.substr(1), open_digits.substr(1) + "\n"})
    REQUIRE(MachinePublic::parse_bare(bad).error() == fail(Errc::bad_key_text, 101));
}

TEST_CASE("KEY-6 the two keys of a server differ") {
  test::SeededEntropy entropy;
  const auto noise = ControlNoisePair::generate(entropy);
  const auto box = ControlBoxPair::generate(entropy);
  REQUIRE(check_distinct(noise.open, box.open));
  REQUIRE(check_distinct(noise.open, ControlBoxPublic::from_bytes(noise.open.bytes())).error() ==
          fail(Errc::equal_keys, 103));
}

TEST_CASE("KEY-7 hardware attestation keys: 65 bytes, or the empty text for none") {
  const std::string digits = "04" + open_digits + secret_digits;
  const auto none = HardwareAttestationPublic::parse("");
  REQUIRE(none);
  REQUIRE(none->is_zero());
  REQUIRE(none->text().empty());
  const auto key = HardwareAttestationPublic::parse("hwattestpub:" + upper(digits));
  REQUIRE(key);
  REQUIRE(key->text() == "hwattestpub:" + digits);
  REQUIRE_FALSE(*key == *none);
  for (const std::string& bad : {std::string("hwattestpub:"), digits, "hwattestpub:" + digits + "00",
                                 "hwattestpub:" + open_digits, "mkey:" + digits, std::string(" ")})
    REQUIRE(HardwareAttestationPublic::parse(bad).error() == fail(Errc::bad_key_text, 104));
}

TEST_CASE("HSK-9 canonical machine keys: below 2^255 - 19 and without bit 255") {
  const auto canonical = [](std::string_view hex) { return MachinePublic::parse_bare(hex)->is_canonical(); };
  const std::string middle(60, 'f');
  REQUIRE(canonical(zeros));
  REQUIRE(canonical(open_digits));
  REQUIRE(canonical("ec" + middle + "7f"));  // 2^255 - 20
  REQUIRE_FALSE(canonical("ed" + middle + "7f"));
  REQUIRE_FALSE(canonical("ee" + middle + "7f"));
  REQUIRE_FALSE(canonical("ff" + middle + "7f"));
  REQUIRE(canonical("ff" + middle.substr(2) + "fe7f"));
  REQUIRE(canonical("fffe" + middle.substr(2) + "7f"));
  REQUIRE(canonical("ff" + middle + "7e"));
  REQUIRE_FALSE(canonical(zeros.substr(2) + "80"));
  REQUIRE_FALSE(canonical("00" + middle + "ff"));
}

TEST_CASE("log forms are short and never a key") {
  REQUIRE(MachinePublic::parse("mkey:" + open_digits)->short_text() == "[j0DFr]");  // base64 of 8f 40 c5 ad
  REQUIRE(DiscoPublic::parse("discokey:" + open_digits)->short_text() == "d:8f40c5adb68f2562");
  REQUIRE_FALSE(MachinePublic::parse("[j0DFr]"));
}

TEST_CASE("private keys move and cannot be copied; what was moved from is zero") {
  static_assert(!std::is_copy_constructible_v<MachinePrivate> && !std::is_copy_assignable_v<MachinePrivate>);
  static_assert(!std::is_copy_constructible_v<MachineKeyPair>);
  test::SeededEntropy entropy;
  auto a = MachinePrivate::generate(entropy);
  const std::string text = a.reveal_text();
  const auto b = std::move(a);
  REQUIRE(a.is_zero());
  REQUIRE(b.reveal_text() == text);
}

TEST_CASE("parsing a key allocates nothing") {
  const std::string text = "nodekey:" + open_digits, bad = "nodekey:" + open_digits.substr(1) + "g";
  const std::size_t before = test::allocation_count();
  const bool good = NodePublic::parse(text).has_value(), refused = !NodePublic::parse(bad).has_value();
  const std::size_t after = test::allocation_count();
  REQUIRE((good && refused));
  REQUIRE(after == before);
}
