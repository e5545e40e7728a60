// SPDX-License-Identifier: BSD-3-Clause
// The codec of map messages: a change of one peer, and maps of 20 and 1,000, as JSON, packed, framed, and
// read again.
#include <memory>
#include <string>

#include "large_map.h"
#include "ratio.h"
#include "ts2021/msg/map_frame.h"

using namespace ts2021;

namespace {

constexpr Capability viewer{138};

MapResponse change_of_one() {
  MapResponse map;
  PeerChange& change = map.peers_changed_patch.emplace_back();
  change.node_id = NodeId{7};
  change.endpoints = {{IpPort{IpAddress::v4(0xc0000201), 41641}}};
  return map;
}

MapResponse message(unsigned peers) { return peers == 0 ? change_of_one() : bench::large_map(peers); }

void per_message(benchmark::State& state, std::size_t json, std::size_t packed) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(json));
  state.counters["packed"] = static_cast<double>(packed);
}

void encode_message(benchmark::State& state, unsigned peers) {
  const MapResponse map = message(peers);
  std::string text;
  for (auto _ : state) {
    text.clear();
    encode(map, viewer, text);
    benchmark::DoNotOptimize(text.data());
  }
  per_message(state, text.size(), 0);
}

void pack(benchmark::State& state, unsigned peers) {
  const std::string text = encoded(message(peers), viewer);
  ZstdCompressor compressor;
  std::size_t packed = 0;
  for (auto _ : state) {
    const auto piece = compressor.compress(as_bytes(text));
    if (!piece) return state.SkipWithError("not packed");
    packed = (*piece)->size();
  }
  per_message(state, text.size(), packed);
}

// From packed pieces to a message that may be pushed: what every frame costs that shares them.
void frame(benchmark::State& state, unsigned peers) {
  ZstdCompressor compressor;
  const auto piece = compressor.compress(as_bytes(encoded(message(peers), viewer)));
  if (!piece) return state.SkipWithError("not packed");
  for (auto _ : state) {
    auto whole = map_message(std::span(&*piece, 1), Compression::zstd);
    if (!whole) return state.SkipWithError("not framed");
    benchmark::DoNotOptimize(whole);
  }
  per_message(state, (*piece)->size(), (*piece)->size());
}

// The client's side: prefix, unpacking, JSON.
void read(benchmark::State& state, unsigned peers) {
  const std::string text = encoded(message(peers), viewer);
  ZstdCompressor compressor;
  const auto whole = map_message(as_bytes(text), Compression::zstd, &compressor);
  if (!whole) return state.SkipWithError("not packed");
  std::string wire;
  for (const SharedBytes& piece : **whole) wire.append(piece->begin(), piece->end());
  MapFrameReader reader(Compression::zstd);
  for (auto _ : state) {
    const auto used = reader.feed(as_bytes(wire));
    if (!used || *used != wire.size() || !reader.ready()) return state.SkipWithError("not read");
    auto map = decode<MapResponse>(reader.message());
    if (!map || map->peers.size() != peers) return state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(map);
  }
  per_message(state, text.size(), wire.size());
}

#define MESSAGES(function)                    \
  BENCHMARK_CAPTURE(function, one_change, 0); \
  BENCHMARK_CAPTURE(function, 20_peers, 20);  \
  BENCHMARK_CAPTURE(function, 1000_peers, 1'000)
MESSAGES(encode_message);
MESSAGES(pack);
MESSAGES(frame);
MESSAGES(read);

}  // namespace

int main(int argc, char** argv) {
  return bench::run(
      argc, argv,
      {{"packing a map of 1,000 peers / encoding it", "pack/1000_peers", "encode_message/1000_peers", 0}});
}
