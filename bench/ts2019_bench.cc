// SPDX-License-Identifier: BSD-3-Clause
// What a map message costs the server after the coordinator has made it, over TS2019 and over TS2021: the
// same pieces, pushed by ControlService through connections that are joined to clients in memory. TS2019 may
// cost more by its box and nothing else. CPU time of the server's calls only.
#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "large_map.h"
#include "ratio.h"
#include "sim/service_world.h"
#include "ts2021/legacy/nacl_box.h"
#include "ts2021/msg/map_frame.h"

using namespace ts2021;
using test::Pair;

namespace {

constexpr int rounds = 15;

template <class Call>
double seconds(Call&& call) {
  const double from = bench::thread_seconds();
  call();
  return bench::thread_seconds() - from;
}

// A tailnet with one stream of each protocol, whose frames we then make ourselves.
struct Streams {
  ControlBoxPair server;
  MachineKeyPair machine;
  std::optional<NaclBox> box;
  std::optional<test::World> world;
  Pair* old_pair = nullptr;
  Pair* new_pair = nullptr;
  StreamId old_stream{}, new_stream{};

  Streams() {
    test::SeededEntropy entropy(5);
    server = ControlBoxPair::generate(entropy);
    machine = MachineKeyPair::generate(entropy);
    box.emplace(*NaclBox::between(machine.secret, server.open));
    ServiceConfig config;
    config.box = &server;
    config.key.box = server.open;
    world.emplace(config);
    const std::string path = "/machine/" + machine.open.bare_text();

    post(ClientMode::http1, path, sealed(login('a'), entropy));
    std::tie(old_pair, old_stream) = post(ClientMode::http1, path + "/map", sealed(poll('a'), entropy));
    new_pair = &world->connect(138, ClientMode::noise);
    world->run();
    (void)new_pair->request("/machine/register", login('b'));
    world->run();
    new_stream = new_pair->request("/machine/map", poll('b'));
    world->run();
  }
  static std::string login(char key) {
    return R"({"Version":138,"NodeKey":"nodekey:)" + std::string(64, key) +
           R"(","Auth":{"AuthKey":"good-key"},"Hostinfo":{"Hostname":"bench"}})";
  }
  static std::string poll(char key) {
    return R"({"Version":138,"Compress":"zstd","Stream":true,"KeepAlive":true,"NodeKey":"nodekey:)" +
           std::string(64, key) + "\"}";
  }
  std::string sealed(std::string_view text, Entropy& entropy) const {
    std::vector<std::uint8_t> whole(NaclBox::overhead + text.size());
    std::copy(text.begin(), text.end(), whole.begin() + NaclBox::overhead);
    (void)box->seal(whole, entropy);
    return {whole.begin(), whole.end()};
  }
  std::pair<Pair*, StreamId> post(ClientMode mode, std::string path, std::string body) {
    Pair& pair = world->connect(0, mode);
    world->run();
    const auto stream = pair.client().request({"POST", path, {}}, share(body));
    if (!stream) std::abort();
    world->run();
    return {&pair, *stream};
  }

  // One frame out, to the last byte. 0 bytes received: something is wrong.
  double push(bool old, const SharedPieces& pieces, std::size_t& received) {
    Pair& pair = old ? *old_pair : *new_pair;
    const StreamId stream = old ? old_stream : new_stream;
    pair.bodies[stream].clear();
    const auto session = static_cast<SessionId>(session_of(pair));
    const auto call = static_cast<CallId>(static_cast<std::uint64_t>(stream));
    double spent = seconds([&] {
      (void)world->service.on_event(coord_event::MapFrame{session, call, pieces}, world->clock.now);
    });
    for (bool busy = true; busy;) {
      busy = pair.step_client();
      spent += seconds([&] { busy = pair.step_server() || busy; });
    }
    while (world->service.next_input()) {
    }
    received = pair.bodies[stream].size();
    return spent;
  }
  std::size_t session_of(const Pair& pair) const {
    for (std::size_t i = 0; i < world->pairs.size(); ++i)
      if (world->pairs[i].get() == &pair) return i + 1;
    return 0;
  }
};

MapResponse delta() {
  MapResponse map;
  PeerChange& change = map.peers_changed_patch.emplace_back();
  change.node_id = NodeId{7};
  change.online = true;
  change.endpoints = {{IpPort{IpAddress::v4(0xc0000201), 41641}}};
  return map;
}

bool measure(Streams& streams, const char* what, const MapResponse& map) {
  constexpr Capability viewer{138};
  ZstdCompressor compressor;
  test::SeededEntropy entropy(3);
  double encode_time = 1, compress_time = 1, box_time = 1, old_time = 1, new_time = 1;
  std::size_t json_size = 0, packed = 0, old_size = 0, new_size = 0;
  for (int round = 0; round < rounds; ++round) {
    std::string json;
    encode_time = std::min(encode_time, seconds([&] { encode(map, viewer, json); }));
    SharedPieces pieces;
    compress_time = std::min(compress_time, seconds([&] {
                               if (auto made = map_message(as_bytes(json), Compression::zstd, &compressor))
                                 pieces = *made;
                             }));
    if (!pieces) return false;
    json_size = json.size();
    packed = total_size(pieces);
    std::vector<std::uint8_t> whole(NaclBox::overhead + packed - map_prefix_size);
    box_time = std::min(box_time, seconds([&] { (void)streams.box->seal(whole, entropy); }));
    // In turns; a small message several times, so that one reading of the clock is not what is measured.
    const int times = packed < 4096 ? 64 : 1;
    double old_sum = 0, new_sum = 0;
    for (int i = 0; i < times; ++i) {
      old_sum += streams.push(true, pieces, old_size);
      new_sum += streams.push(false, pieces, new_size);
    }
    old_time = std::min(old_time, old_sum / times);
    new_time = std::min(new_time, new_sum / times);
  }
  const double more = old_time - new_time;
  // HTTP/1.1 adds nothing to what the far end sees; a box adds its overhead.
  const bool whole = new_size == packed && old_size == packed + NaclBox::overhead;
  std::printf("%-22s %8zu bytes of JSON, %7zu packed\n", what, json_size, packed);
  std::printf("  made once for both: encoding %9.1f us, compression %9.1f us\n", 1e6 * encode_time,
              1e6 * compress_time);
  std::printf("  TS2021: HTTP/2 and records %9.1f us; TS2019: box %9.1f us, gathering and chunks %9.1f us\n",
              1e6 * new_time, 1e6 * box_time, 1e6 * (old_time - box_time));
  std::printf("  TS2019 costs %+.1f us more, of its box at most %.1f us: %s%s\n", 1e6 * more, 1e6 * box_time,
              more <= box_time ? "good" : "ABOVE", whole ? "" : "; BYTES ARE MISSING");
  return more <= box_time && whole;
}

}  // namespace

int main() {
  Streams streams;
  bool good = measure(streams, "a change of one peer", delta());
  good = measure(streams, "a map of 20 peers", bench::large_map(20)) && good;
  good = measure(streams, "a map of 1,000 peers", bench::large_map(1'000)) && good;
  return good ? 0 : 1;
}
