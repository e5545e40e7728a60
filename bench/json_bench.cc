// SPDX-License-Identifier: BSD-3-Clause
// Messages from and to JSON, beside simdjson alone on the same bytes. `json_bench --map FILE` writes the map,
// so that others can be measured with it; the request is a recorded one.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "large_map.h"
#include "ratio.h"
#include "ts2021/msg/map_request.h"

using namespace ts2021;

namespace {

constexpr unsigned peers = 1'000;
constexpr Capability viewer{138};

// With the bytes behind it that decode() and simdjson want.
std::string request_text() {
  std::ifstream in(TS2021_BENCH_REQUEST, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  text.reserve(text.size() + decode_padding);
  return text;
}

void per_message(benchmark::State& state, std::size_t size) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * size));
}

void decode_request(benchmark::State& state) {
  const std::string text = request_text();
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) {
    auto message = decode<MapRequest>(as_bytes(text));
    if (!message || !message->hostinfo) return state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(message);
  }
  state.counters["allocations"] =
      static_cast<double>(bench::allocations() - allocated) / static_cast<double>(state.iterations());
  per_message(state, text.size());
}

void simdjson_parse(benchmark::State& state) {
  const std::string text = request_text();
  simdjson::dom::parser parser;
  for (auto _ : state) {
    auto root = parser.parse(text.data(), text.size(), false);
    if (root.error() != simdjson::SUCCESS) return state.SkipWithError("not parsed");
    benchmark::DoNotOptimize(root);
  }
  per_message(state, text.size());
}

void encode_map(benchmark::State& state) {
  const MapResponse map = bench::large_map(peers);
  std::string text;
  encode(map, viewer, text);
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) {
    text.clear();
    encode(map, viewer, text);
    benchmark::DoNotOptimize(text.data());
  }
  state.counters["allocations"] =
      static_cast<double>(bench::allocations() - allocated) / static_cast<double>(state.iterations());
  per_message(state, text.size());
}

// What simdjson needs to write the same text from its own tree.
void simdjson_write(benchmark::State& state) {
  const std::string text = encoded(bench::large_map(peers), viewer);
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(text).get(root) != simdjson::SUCCESS) return state.SkipWithError("not parsed");
  for (auto _ : state) {
    simdjson::internal::string_builder<> builder;
    builder.append(root);
    benchmark::DoNotOptimize(builder.str().data());
  }
  per_message(state, text.size());
}

// And to read it.
void simdjson_parse_map(benchmark::State& state) {
  const std::string text = encoded(bench::large_map(peers), viewer);
  const simdjson::padded_string padded(text);
  simdjson::dom::parser parser;
  for (auto _ : state) {
    auto root = parser.parse(padded);
    if (root.error() != simdjson::SUCCESS) return state.SkipWithError("not parsed");
    benchmark::DoNotOptimize(root);
  }
  per_message(state, text.size());
}

void decode_map(benchmark::State& state) {
  std::string text = encoded(bench::large_map(peers), viewer);
  text.reserve(text.size() + decode_padding);
  for (auto _ : state) {
    auto message = decode<MapResponse>(as_bytes(text));
    if (!message || message->peers.size() != peers) return state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(message);
  }
  per_message(state, text.size());
}

BENCHMARK(decode_request);
BENCHMARK(simdjson_parse);
BENCHMARK(encode_map);
BENCHMARK(simdjson_write);
BENCHMARK(decode_map);
BENCHMARK(simdjson_parse_map);

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--map") {
    std::ofstream(argv[2], std::ios::binary) << encoded(bench::large_map(peers), viewer);
    return 0;
  }
  return bench::run(
      argc, argv,
      {{"decoding a map request / simdjson's parser alone", "decode_request", "simdjson_parse", 0},
       {"encoding a map of 1,000 peers / simdjson's own writer", "encode_map", "simdjson_write", 0},
       {"decoding a map of 1,000 peers / simdjson's parser alone", "decode_map", "simdjson_parse_map", 0}});
}
