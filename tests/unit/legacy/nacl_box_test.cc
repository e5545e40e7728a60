// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/legacy/nacl_box.h"

#include <simdjson.h>

#include <filesystem>

#include "support/catch.h"
#include "support/support.h"

using namespace ts2021;
using test::Buffer;
using Json = simdjson::dom::element;

namespace {

Buffer bytes_of(Json object, std::string_view member) {
  return test::unhex(std::string_view(object[member]));
}

template <KeyKind K>
PrivateKey<K> secret_of(Json object, std::string_view member) {
  return PrivateKey<K>::from_bytes(Bytes(bytes_of(object, member)).first<32>());
}
template <KeyKind K>
PublicKey<K> open_of(Json object, std::string_view member) {
  return PublicKey<K>::from_bytes(Bytes(bytes_of(object, member)).first<32>());
}

Buffer seal(const NaclBox& box, Bytes text, Buffer nonce) {
  Buffer whole(NaclBox::overhead + text.size());
  std::copy(text.begin(), text.end(), whole.begin() + NaclBox::overhead);
  test::FixedEntropy entropy(std::move(nonce));
  REQUIRE(box.seal(whole, entropy));
  return whole;
}

Json load(simdjson::dom::parser& parser) { return parser.load(test::vector_path("nacl/nacl-vectors.json")); }

struct Pair {
  test::SeededEntropy entropy{5};
  MachineKeyPair machine = MachineKeyPair::generate(entropy);
  ControlBoxPair server = ControlBoxPair::generate(entropy);
  NaclBox up = std::move(*NaclBox::between(machine.secret, server.open));
  NaclBox down = std::move(*NaclBox::between(server.secret, machine.open));
};

}  // namespace

TEST_CASE("BOX-1 BOX-4 official boxes are made and opened byte for byte, by both ends") {
  simdjson::dom::parser parser;
  std::size_t count = 0;
  for (Json sample : load(parser)["samples"]) {
    INFO(std::string_view(sample["name"]));
    const Buffer text = bytes_of(sample, "plaintext"), sealed = bytes_of(sample, "box");
    const auto sender = NaclBox::between(secret_of<KeyKind::machine>(sample, "sender_priv"),
                                         open_of<KeyKind::control_box>(sample, "receiver_pub"));
    const auto receiver = NaclBox::between(secret_of<KeyKind::control_box>(sample, "receiver_priv"),
                                           open_of<KeyKind::machine>(sample, "sender_pub"));
    REQUIRE((sender && receiver));
    REQUIRE(seal(*sender, text, bytes_of(sample, "nonce")) == sealed);
    REQUIRE(seal(*receiver, text, bytes_of(sample, "nonce")) == sealed);
    for (const NaclBox* end : {&*sender, &*receiver}) {
      Buffer whole = sealed;
      const auto opened = end->open(whole);
      REQUIRE(opened);
      REQUIRE(Buffer(opened->begin(), opened->end()) == text);
    }
    ++count;
  }
  REQUIRE(count == 8);
}

TEST_CASE(
    "BOX-3 official cases of opening, with low-order senders refused where the reference is not strict") {
  simdjson::dom::parser parser;
  std::size_t opened_count = 0, refused = 0, low = 0;
  for (Json row : load(parser)["open_cases"]) {
    const std::string_view name = row["name"], verdict = row["real_result"];
    INFO(name);
    const auto box = NaclBox::between(secret_of<KeyKind::control_box>(row, "receiver_priv"),
                                      open_of<KeyKind::machine>(row, "claimed_sender_pub"));
    if (name == "zero-sender-key" || name == "low-order-sender-key-1") {
      REQUIRE(box.error() == fail(Errc::low_order_key, 601));
      ++low;
      continue;
    }
    REQUIRE(box);
    Buffer whole = bytes_of(row, "box");
    const Buffer before = whole;
    const auto opened = box->open(whole);
    if (verdict.starts_with("ok=true")) {
      REQUIRE(opened);
      REQUIRE("ok=true plaintext_len=" + std::to_string(opened->size()) == verdict);
      ++opened_count;
    } else {
      REQUIRE(opened.error() == fail(Errc::bad_box, whole.size() < 40 ? 603 : 604));
      REQUIRE(whole == before);
      ++refused;
    }
  }
  REQUIRE(opened_count == 2);  // one of them is a message sent back to its sender: BOX-4
  REQUIRE(low == 2);
  REQUIRE(refused == 11);
}

TEST_CASE("BOX-1 framed keep-alives: the length is outside, the compression inside") {
  simdjson::dom::parser parser;
  const Json root = load(parser);
  const Json keys = root["samples"].at(0);
  const auto server = NaclBox::between(secret_of<KeyKind::control_box>(keys, "receiver_priv"),
                                       open_of<KeyKind::machine>(keys, "sender_pub"));
  REQUIRE(server);
  std::size_t boxed = 0;
  for (Json row : root["map_frames"]) {
    INFO(std::string_view(row["name"]));
    if (row["nonce"].error()) continue;  // Noise: without a box
    const Buffer text =
        row["zstd"].error() ? test::buffer(std::string_view(row["json"])) : bytes_of(row, "zstd");
    const Buffer frame = bytes_of(row, "frame");
    REQUIRE(load_u32le(frame) == frame.size() - 4);
    REQUIRE(seal(*server, text, bytes_of(row, "nonce")) == Buffer(frame.begin() + 4, frame.end()));
    ++boxed;
  }
  REQUIRE(boxed == 2);
}

TEST_CASE("the proof of a node key is a box between the node's key and the challenge") {
  simdjson::dom::parser parser;
  const Json proof = load(parser)["node_key_proof"];
  const auto challenge = secret_of<KeyKind::challenge>(proof, "challenge_priv");
  const auto node = secret_of<KeyKind::node>(proof, "node_priv");
  REQUIRE(challenge.public_key().text() == std::string_view(proof["challenge_pub_text"]));
  REQUIRE(node.public_key().text() == std::string_view(proof["node_pub_text"]));
  const auto client = NaclBox::between(node, challenge.public_key());
  const auto server = NaclBox::between(challenge, node.public_key());
  REQUIRE((client && server));
  const Buffer text = test::buffer(std::string_view(proof["plaintext_text"]));
  Buffer sealed = seal(*client, text, bytes_of(proof, "nonce"));
  REQUIRE(sealed == bytes_of(proof, "box"));
  const auto opened = server->open(sealed);
  REQUIRE(opened);
  REQUIRE(Buffer(opened->begin(), opened->end()) == text);
}

TEST_CASE("BOX-1 every recorded body of the oldest clients opens to what it was") {
  simdjson::dom::parser parser;
  std::size_t opened_count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test::vector_path("captures"))) {
    const std::string path = entry.path().string();
    constexpr std::string_view ending = "-sealed.bin";
    if (!path.ends_with(ending)) continue;
    INFO(path);
    const std::string folder = entry.path().parent_path().string(),
                      number = entry.path().filename().string().substr(0, 3);
    const Json keys = parser.load(folder + "/server-keys.json");
    const auto secret = ControlBoxPrivate::parse(std::string_view(keys["legacyPrivate"]));
    REQUIRE(secret);
    const Json head = parser.load(folder + "/" + number + "-http.json");
    const std::string_view uri = head["uri"];
    const auto machine = MachinePublic::parse_bare(uri.substr(9, 64));  // after "/machine/"
    REQUIRE(machine);
    const auto box = NaclBox::between(*secret, *machine);
    REQUIRE(box);
    Buffer whole = test::read_file(path);
    const auto opened = box->open(whole);
    REQUIRE(opened);
    const Buffer plain = test::read_file(path.substr(0, path.size() - ending.size()) + ".raw");
    REQUIRE(Buffer(opened->begin(), opened->end()) == plain);
    ++opened_count;
  }
  REQUIRE(opened_count >= 20);
}

TEST_CASE("every changed byte and every cut of a box is refused and leaves the bytes alone") {
  Pair pair;
  const Buffer sealed = seal(pair.up, test::buffer("{\"Version\":1}"), Buffer(24, 9));
  test::flip_every_byte(sealed,
                        [&](Buffer changed, std::size_t) {
                          const Buffer before = changed;
                          return pair.down.open(changed).error() == fail(Errc::bad_box, 604) &&
                                 changed == before;
                        },
                        {1, 2, 4, 8, 16, 32, 64, 128});
  for (std::size_t n = 0; n < sealed.size(); ++n) {
    Buffer cut(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(n));
    REQUIRE(pair.down.open(cut).error() == fail(Errc::bad_box, n < 40 ? 603 : 604));
  }
}

TEST_CASE("BOX-2 two boxes of one text differ") {
  Pair pair;
  Buffer a(50), b(50);
  REQUIRE(pair.up.seal(a, pair.entropy));
  REQUIRE(pair.up.seal(b, pair.entropy));
  REQUIRE(a != b);
  REQUIRE_FALSE(std::equal(a.begin(), a.begin() + 24, b.begin()));
  Buffer none(39);
  REQUIRE(pair.up.seal(none, pair.entropy).error() == fail(Errc::misuse, 602));
  Buffer empty(40);
  REQUIRE(pair.up.seal(empty, pair.entropy));
  const auto opened = pair.down.open(empty);
  REQUIRE(opened);
  REQUIRE(opened->empty());
}

TEST_CASE("BOX-3 every low-order key is refused by both ends, and a zero key of ours is misuse") {
  Pair pair;
  for (const std::string point : {"0000000000000000000000000000000000000000000000000000000000000000",
                                  "0100000000000000000000000000000000000000000000000000000000000000",
                                  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                                  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                                  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"})
    for (const std::uint8_t top : std::initializer_list<std::uint8_t>{0, 0x80}) {
      Buffer raw = test::unhex(point);
      raw[31] |= top;
      const std::string digits = test::hex(raw);
      REQUIRE(NaclBox::between(pair.server.secret, *MachinePublic::parse_bare(digits)).error() ==
              fail(Errc::low_order_key, 601));
      REQUIRE(NaclBox::between(pair.machine.secret, *ControlBoxPublic::parse_bare(digits)).error() ==
              fail(Errc::low_order_key, 601));
    }
  REQUIRE(NaclBox::between(ControlBoxPrivate{}, pair.machine.open).error() == fail(Errc::misuse, 600));
}

TEST_CASE("a box costs no allocation") {
  Pair pair;
  Buffer whole(1000);
  const std::size_t before = test::allocation_count();
  const bool sealed = pair.up.seal(whole, pair.entropy).has_value();
  const bool opened = pair.down.open(whole).has_value();
  const std::size_t after = test::allocation_count();
  REQUIRE((sealed && opened));
  REQUIRE(after == before);
}
