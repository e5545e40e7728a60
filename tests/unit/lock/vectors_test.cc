// SPDX-License-Identifier: BSD-3-Clause
// What the official package made and how it judged.
#include <simdjson.h>

#include <set>

#include "support/catch.h"
#include "support/support.h"
#include "ts2021/lock/authority.h"

using namespace ts2021;
using lock::AUM;
using lock::AUMHash;
using lock::Authority;
using lock::NodeKeySignature;
using test::Buffer;
using Json = simdjson::dom::element;

namespace {

struct File {
  simdjson::dom::parser parser;
  Json root = parser.load(test::vector_path("lock/lock-vectors.json"));
};

std::string_view text(Json object, std::string_view member) { return object[member]; }
Buffer bytes(Json object, std::string_view member) { return test::unhex(text(object, member)); }
bool flag(Json object, std::string_view member) { return object[member]; }

// A member that is a list or null.
std::vector<Json> list(Json object, std::string_view member) {
  const Json value = object[member];
  std::vector<Json> out;
  if (!value.is_null())
    for (const Json item : simdjson::dom::array(value)) out.push_back(item);
  return out;
}
std::vector<AUMHash> hashes(Json object, std::string_view member) {
  std::vector<AUMHash> out;
  for (const Json item : list(object, member)) out.push_back(*AUMHash::parse(std::string_view(item)));
  return out;
}

Result<void> apply(Authority& authority, const std::vector<Buffer>& updates) {
  return authority.apply(std::vector<Bytes>(updates.begin(), updates.end()));
}

std::vector<Buffer> updates_of(Json chain) {
  std::vector<Buffer> out;
  for (const Json update : list(chain, "updates")) out.push_back(bytes(update, "aum"));
  return out;
}

Authority authority_of(const std::vector<Buffer>& updates) {
  Authority out = *Authority::bootstrap(updates.front());
  REQUIRE(apply(out, {updates.begin() + 1, updates.end()}));
  return out;
}

Json linear(const File& file) { return *simdjson::dom::array(file.root["chains"]).begin(); }

void check_chain(Json chain, const Authority& authority) {
  CHECK(authority.head().text() == text(chain, "head"));
  const lock::Offer offer = authority.offer();
  CHECK(offer.head == authority.head());
  CHECK(offer.ancestors == hashes(chain, "ancestors"));
  const auto keys = list(chain, "keys");
  const lock::State& state = authority.state();
  REQUIRE(state.keys.size() == keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    CHECK(state.keys[i].id == bytes(keys[i], "id"));
    CHECK(state.keys[i].votes == std::uint64_t(keys[i]["votes"]));
    const Json meta = keys[i]["meta"];
    std::size_t count = 0;
    if (!meta.is_null())
      for (const auto [name, value] : simdjson::dom::object(meta)) {
        const auto found = state.keys[i].meta.find(std::string(name));
        REQUIRE(found != state.keys[i].meta.end());
        CHECK(found->second == std::string_view(value));
        ++count;
      }
    CHECK(state.keys[i].meta.size() == count);
  }
  CHECK(state.id1 == std::uint64_t(chain["state_ids"].at(0)));
  CHECK(state.id2 == std::uint64_t(chain["state_ids"].at(1)));
  for (const Json sync : list(chain, "syncs")) {
    const auto missing = authority.missing({*AUMHash::parse(text(sync, "head")), hashes(sync, "ancestors")});
    REQUIRE(missing.has_value() != flag(sync, "unknown"));
    if (!missing) {
      CHECK(missing.error().code == Errc::unknown_lock_update);
      continue;
    }
    std::vector<AUMHash> named;
    for (const SharedBytes& update : *missing) named.push_back(AUM::decode(*update)->hash());
    CHECK(named == hashes(sync, "missing"));
  }
}

// Where we are stricter than the official code, which reads forms that it never writes.
const std::set<std::string_view> stricter = {"signed twice by the same"};

}  // namespace

TEST_CASE("LCK-1 LCK-2 LCK-3 official updates are read, hashed and written again byte for byte") {
  const File file;
  std::size_t count = 0;
  for (const Json chain : list(file.root, "chains"))
    for (const Json vector : list(chain, "updates")) {
      const Buffer raw = bytes(vector, "aum");
      const auto update = AUM::decode(raw);
      INFO(text(chain, "name") << ": " << text(vector, "kind"));
      REQUIRE(update);
      CHECK(update->encode() == raw);
      CHECK(update->hash().text() == text(vector, "hash"));
      CHECK(*AUMHash::parse(text(vector, "hash")) == update->hash());
      CHECK(test::hex(update->signing_hash()) == text(vector, "signing_hash"));
      ++count;
    }
  CHECK(count >= 100);
}

TEST_CASE("LCK-6 LCK-9 LCK-11 official chains lead to the same head, keys and answers to offers") {
  const File file;
  for (const Json chain : list(file.root, "chains")) {
    INFO(text(chain, "name"));
    const auto updates = updates_of(chain);
    check_chain(chain, authority_of(updates));
    Authority one_by_one = *Authority::bootstrap(updates.front());
    for (std::size_t i = 1; i < updates.size(); ++i) REQUIRE(apply(one_by_one, {updates[i]}));
    check_chain(chain, one_by_one);
    const auto log = one_by_one.log();
    std::vector<Buffer> kept;
    for (const SharedBytes& update : log) kept.push_back(*update);
    CHECK(kept == updates);
    check_chain(chain, authority_of(kept));
  }
}

TEST_CASE("LCK-5 LCK-6 LCK-7 updates are taken and refused as the official code does, or more strictly") {
  const File file;
  const auto updates = updates_of(linear(file));
  std::size_t taken = 0, refused = 0;
  for (const Json vector : list(file.root, "offered")) {
    INFO(text(vector, "name"));
    const Buffer raw = bytes(vector, "aum");
    const bool expected =
        flag(vector, "accepted") && flag(vector, "canonical") && !stricter.contains(text(vector, "name"));
    bool accepted = false;
    if (flag(vector, "genesis")) {
      accepted = Authority::bootstrap(raw).has_value();
    } else {
      Authority authority = authority_of(updates);
      const AUMHash before = authority.head();
      accepted = apply(authority, {raw}).has_value();
      CHECK((authority.head() != before) == accepted);
      CHECK(authority.count() == updates.size() + accepted);
    }
    CHECK(accepted == expected);
    ++(accepted ? taken : refused);
  }
  CHECK(taken >= 10);
  CHECK(refused >= 40);
}

TEST_CASE("LCK-1 LCK-3 LCK-8 node key signatures are judged as the official code judges them") {
  const File file;
  const Authority authority = authority_of(updates_of(linear(file)));
  std::size_t good = 0, bad = 0;
  for (const Json vector : list(file.root, "signatures")) {
    INFO(text(vector, "name"));
    const Buffer raw = bytes(vector, "signature");
    const NodePublic node = *NodePublic::parse(text(vector, "node"));
    const bool accepted = authority.authorize(node, raw).has_value();
    CHECK(accepted == (flag(vector, "accepted") && flag(vector, "canonical")));
    ++(accepted ? good : bad);
    const auto decoded = NodeKeySignature::decode(raw);
    CHECK(decoded.has_value() == flag(vector, "canonical"));
    if (!decoded) continue;
    CHECK(decoded->encode() == raw);
    CHECK(test::hex(decoded->signing_hash()) == text(vector, "signing_hash"));
    const auto authorizing = vector["authorizing"];
    CHECK(test::hex(decoded->authorizing_key()) ==
          (authorizing.error() ? std::string_view() : std::string_view(authorizing)));
  }
  CHECK(good >= 8);
  CHECK(bad >= 20);
}

TEST_CASE("LCK-7 an official update with any byte changed is refused") {
  const File file;
  const auto updates = updates_of(linear(file));
  const Authority start = *Authority::bootstrap(updates[0]);
  test::flip_every_byte(updates[1], [&](const Buffer& changed, std::size_t) {
    Authority authority = start;
    return !apply(authority, {changed}) && authority.head() == start.head();
  });
  test::flip_every_byte(updates[0], [&](const Buffer& changed, std::size_t) {
    return !Authority::bootstrap(changed).has_value();
  });
}

TEST_CASE("LCK-8 an official node key signature with any byte changed is refused") {
  const File file;
  const Authority authority = authority_of(updates_of(linear(file)));
  for (const Json vector : list(file.root, "signatures")) {
    if (text(vector, "name") != "rotation" && text(vector, "name") != "by credential") continue;
    const NodePublic node = *NodePublic::parse(text(vector, "node"));
    test::flip_every_byte(bytes(vector, "signature"), [&](const Buffer& changed, std::size_t) {
      return !authority.authorize(node, changed).has_value();
    });
  }
}

TEST_CASE("LCK-10 disablement values are those of the official code") {
  const File file;
  for (const Json vector : list(file.root, "disablement")) {
    const auto value = lock::disablement_value(bytes(vector, "secret"));
    REQUIRE(value);
    CHECK(test::hex(*value) == text(vector, "value"));
  }
  const Authority authority = authority_of(updates_of(linear(file)));
  const Buffer right(32, 0xa5), wrong(32, 0xa4);
  CHECK(*authority.valid_disablement(right));
  CHECK_FALSE(*authority.valid_disablement(wrong));
}
