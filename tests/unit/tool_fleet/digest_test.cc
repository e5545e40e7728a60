// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/digest.h"

#include "support/catch.h"
#include "ts2021/fleet/decode_cache.h"
#include "ts2021/fleet/fold_sample.h"
#include "ts2021/msg/map_response.h"

namespace ts2021::app::fleet {
namespace {

struct Bed {
  Markers markers{59'990};
  Directory directory{markers};
  Identity identities[3] = {make_identity(9, 0), make_identity(9, 1), make_identity(9, 2)};
  Bed() {
    for (std::uint32_t i = 0; i < 3; ++i) directory.add(i, identities[i].node);
  }
  ts2021::Node node(std::uint32_t number, std::uint32_t generation) const {
    ts2021::Node out;
    out.id = NodeId{100 + number};
    out.key = identities[number].node;
    out.endpoints = {*IpPort::parse("192.0.2.7:1"), markers.endpoint(number, generation)};
    out.home_derp = 1;
    return out;
  }
  static SharedBytes packed(const MapResponse& message) { return share(encoded(message)); }
};

TEST_CASE("identity: the same for a seed and a number, others for others") {
  CHECK(make_identity(1, 2).node == make_identity(1, 2).node);
  CHECK(make_identity(1, 2).machine.open == make_identity(1, 2).machine.open);
  CHECK(make_identity(1, 2).node != make_identity(1, 3).node);
  CHECK(make_identity(1, 2).node != make_identity(2, 2).node);
  CHECK(make_identity(1, 2).machine.open.bytes().data() != nullptr);
}

TEST_CASE("markers: an endpoint tells whose it is and how new") {
  const Markers markers(59'990);  // ports wrap around
  for (const std::uint32_t node : {0u, 1u, 65'536u, max_nodes - 1})
    for (const std::uint32_t generation : {0u, 9u, 10u, 30'000u}) {
      const auto mark = markers.read(markers.endpoint(node, generation));
      REQUIRE(mark);
      CHECK(*mark == Markers::Mark{node, generation});
    }
  CHECK_FALSE(markers.read(*IpPort::parse("192.0.2.7:5000")));
  CHECK_FALSE(markers.read(*IpPort::parse("198.17.255.255:5000")));
  CHECK_FALSE(markers.read(*IpPort::parse("198.20.0.0:5000")));
  CHECK_FALSE(markers.read(*IpPort::parse("[2001:db8::1]:5000")));
  CHECK_FALSE(markers.read(Markers(59'000).endpoint(0, 0)));  // another run's, long ago
}

TEST_CASE("digest: what a message says of the fleet") {
  Bed bed;
  MapResponse message;
  message.node = bed.node(0, 1);
  message.peers = {bed.node(1, 4), bed.node(2, 0)};
  message.peers[1].endpoints.clear();
  message.peers.push_back(bed.node(1, 4));
  message.peers[2].id = NodeId{7};
  message.peers[2].key = make_identity(10, 1).node;
  DecodeCache cache(bed.directory, Compression::none);
  const auto digest = cache.read(*Bed::packed(message));
  REQUIRE(digest);
  CHECK((*digest)->whole);
  CHECK((*digest)->self == 0u);
  CHECK((*digest)->strangers == 1);
  REQUIRE((*digest)->news.size() == 2);
  CHECK((*digest)->news[0].node == 1);
  CHECK((*digest)->news[0].generation == 4u);
  CHECK_FALSE((*digest)->news[1].generation);
  CHECK(bed.directory.find(NodeId{102}) == 2u);

  MapResponse change;
  change.peers_changed_patch.emplace_back().node_id = NodeId{102};
  change.peers_changed_patch[0].endpoints = {{bed.markers.endpoint(2, 5)}};
  change.peers_removed = {NodeId{101}, NodeId{7}};
  change.online_change = {{NodeId{101}, false}};
  const auto changed = cache.read(*Bed::packed(change));
  REQUIRE(changed);
  CHECK_FALSE((*changed)->whole);
  REQUIRE((*changed)->news.size() == 3);
  CHECK((*changed)->news[0].what == PeerNews::What::removed);
  CHECK((*changed)->news[1].generation == 5u);
  CHECK((*changed)->news[2].online == false);

  // A generation in the endpoints of another node is not its own.
  change.peers_changed_patch[0].endpoints = {{bed.markers.endpoint(1, 5)}};
  CHECK_FALSE((*cache.read(*Bed::packed(change)))->news[1].generation);
}

TEST_CASE("decode cache: equal bytes are decoded once, and memory is bounded") {
  Bed bed;
  DecodeCache cache(bed.directory, Compression::none);
  MapResponse message;
  message.domain = "a";
  const auto first = cache.read(*Bed::packed(message)), again = cache.read(*Bed::packed(message));
  CHECK(*first == *again);
  CHECK(cache.messages() == 2);
  CHECK(cache.decoded() == 1);
  // So many large ones that the first is forgotten.
  const std::size_t size = DecodeCache::max_message - 100;
  for (std::size_t i = 0; i <= DecodeCache::max_kept / size + 1; ++i) {
    message.domain = std::string(size, static_cast<char>('b' + i % 20));
    message.domain += std::to_string(i);
    CHECK(cache.read(*Bed::packed(message)));
  }
  const auto before = cache.decoded();
  message.domain = "a";
  CHECK(cache.read(*Bed::packed(message)));
  CHECK(cache.decoded() == before + 1);
  // What can't be read is an error each time, and is not kept.
  CHECK_FALSE(cache.read(as_bytes("{\"Peers\":1}")));
  CHECK_FALSE(cache.read(as_bytes("{\"Peers\":1}")));
}

TEST_CASE("fold sample: finds what a client would miss") {
  Bed bed;
  FoldSample folds(1, 3, newest_capability);
  REQUIRE(folds.has(0));
  CHECK_FALSE(folds.has(1));
  Knowledge knowledge(3);
  knowledge.forget(0);
  DecodeCache cache(bed.directory, Compression::none);
  const auto take = [&](const MapResponse& message) {
    knowledge.apply(0, **cache.read(*Bed::packed(message)));
    folds.apply(0, *cache.read_whole(*Bed::packed(message)));
  };
  MapResponse message;
  message.node = bed.node(0, 0);
  message.peers = {bed.node(1, 4), bed.node(2, 1)};
  take(message);
  std::uint32_t newest = 4;
  const auto wrong = [&] {
    return folds.mismatches(0, bed.directory, knowledge, [&](std::uint32_t number) {
      return FoldSample::Told{number == 1 ? newest : 1, 1};
    });
  };
  CHECK(wrong() == 0);
  newest = 5;  // it has moved, and the message has not come
  CHECK(wrong() == 1);
  MapResponse change;
  change.peers_changed_patch.emplace_back().node_id = NodeId{101};
  change.peers_changed_patch[0].endpoints = {{bed.markers.endpoint(1, 5)}};
  take(change);
  CHECK(wrong() == 0);
  // Findings are counted by what they are; those that cost a client something are counted once more.
  const auto count = [&](const char* rule, const char* text) {
    const auto found = folds.findings().find({rule, text});
    return found == folds.findings().end() ? 0 : found->second.count;
  };
  const auto harmful = folds.harmful();
  change.peers_changed_patch[0].node_id = NodeId{999};
  take(change);
  take(change);
  CHECK(count("MAP-66", "a patch of an unknown peer") == 2);
  CHECK(folds.harmful() == harmful);
  folds.begin(0);
  take(change);  // no node in the first message
  CHECK(count("MAP-21", "the first message lacks the node itself") == 1);
  CHECK(folds.harmful() == harmful + 1);
}

}  // namespace
}  // namespace ts2021::app::fleet
