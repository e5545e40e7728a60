// SPDX-License-Identifier: BSD-3-Clause
// Full records in runs of 64, as one system call sends them, beside the cipher alone over the same bytes.
#include <algorithm>
#include <array>
#include <vector>

#include "crypto/aead.h"
#include "noise/nonce.h"
#include "ratio.h"
#include "ts2021/noise/record.h"

using namespace ts2021;
using namespace ts2021::noise;

namespace {

constexpr std::size_t run_count = 64;
constexpr std::array<std::uint8_t, 32> key{3, 1, 4};
using Buffer = std::vector<std::uint8_t>;

// The counters of a benchmark that handles `text_size` bytes `run_count` times per iteration.
void report(benchmark::State& state, std::size_t text_size, std::uint64_t allocated) {
  const auto records = static_cast<std::int64_t>(state.iterations() * run_count);
  state.SetItemsProcessed(records);
  state.SetBytesProcessed(records * static_cast<std::int64_t>(text_size));
  state.counters["allocs/record"] = static_cast<double>(allocated) / static_cast<double>(records);
  state.counters["bytes"] = static_cast<double>(records) * static_cast<double>(text_size);
}

// A writer into a queue that somebody drains.
struct Sender {
  BlockPool pool{256, 256};
  ByteQueue queue{pool, 2 << 20};
  CipherScratch cipher;
  RecordWriter writer{SendKey::from_bytes(key), queue, cipher};

  bool seal_run(Bytes text) noexcept {
    for (std::size_t i = 0; i < run_count; ++i)
      if (!writer.append(text)) return false;
    return writer.flush().has_value();
  }
  void drain(Buffer* into) {
    Bytes piece;
    if (into) into->clear();
    while (queue.gather(std::span(&piece, 1)) == 1) {
      if (into) into->insert(into->end(), piece.begin(), piece.end());
      queue.consume(piece.size());
    }
  }
};

void seal(benchmark::State& state, std::size_t text_size) {
  Sender sender;
  const Buffer text(text_size, 'x');
  if (!sender.seal_run(text)) return state.SkipWithError("not sealed");
  sender.drain(nullptr);
  const std::uint64_t before = bench::allocations();
  for (auto _ : state) {
    const double from = bench::thread_seconds();
    if (!sender.seal_run(text)) return state.SkipWithError("not sealed");
    state.SetIterationTime(bench::thread_seconds() - from);
    sender.drain(nullptr);
  }
  report(state, text_size, bench::allocations() - before);
}

void open(benchmark::State& state, std::size_t text_size) {
  Sender sender;
  RecordReader reader(ReceiveKey::from_bytes(key), sender.pool, sender.cipher);
  const Buffer text(text_size, 'x');
  Buffer wire;
  wire.reserve(run_count * max_record_size);
  std::uint64_t allocated = 0;
  for (auto _ : state) {
    if (!sender.seal_run(text)) return state.SkipWithError("not sealed");
    sender.drain(&wire);
    const std::uint64_t before = bench::allocations();
    const double from = bench::thread_seconds();
    reader.feed(wire);
    std::size_t count = 0;
    for (auto next = reader.next(); next && *next; next = reader.next()) ++count;
    state.SetIterationTime(bench::thread_seconds() - from);
    allocated += bench::allocations() - before;
    if (count * text_size < run_count * text_size) return state.SkipWithError("not opened");
  }
  report(state, text_size, allocated);
}

// The cipher on texts that lie as they do in a queue, one per record.
struct Raw {
  crypto::Aead aead;
  Buffer wire = Buffer(run_count * max_record_size, 'x');
  std::uint64_t counter = 0;
  explicit Raw() { aead.set_key(key); }
  MutableBytes text(std::size_t i, std::size_t size) {
    return MutableBytes(wire).subspan(i * max_record_size + record_header_size, size);
  }
  std::span<std::uint8_t, tag_size> tag(std::size_t i, std::size_t size) {
    return MutableBytes(wire).subspan(i * max_record_size + record_header_size + size).first<tag_size>();
  }
  void seal(std::size_t size) {
    for (std::size_t i = 0; i < run_count; ++i) aead.seal(nonce_of(counter + i), text(i, size), tag(i, size));
  }
  bool open(std::size_t size) {
    bool good = true;
    for (std::size_t i = 0; i < run_count; ++i)
      good = aead.open(nonce_of(counter + i), text(i, size), tag(i, size)) && good;
    return good;
  }
};

void cipher_seal(benchmark::State& state, std::size_t text_size) {
  Raw raw;
  for (auto _ : state) {
    const double from = bench::thread_seconds();
    raw.seal(text_size);
    state.SetIterationTime(bench::thread_seconds() - from);
    raw.counter += run_count;
  }
  report(state, text_size, 0);
}

void cipher_open(benchmark::State& state, std::size_t text_size) {
  Raw raw;
  for (auto _ : state) {
    raw.seal(text_size);
    const double from = bench::thread_seconds();
    const bool good = raw.open(text_size);
    state.SetIterationTime(bench::thread_seconds() - from);
    if (!good) return state.SkipWithError("not opened");
    raw.counter += run_count;
  }
  report(state, text_size, 0);
}

BENCHMARK_CAPTURE(seal, 4077, 4077)->UseManualTime();
BENCHMARK_CAPTURE(cipher_seal, 4077, 4077)->UseManualTime();
BENCHMARK_CAPTURE(open, 4077, 4077)->UseManualTime();
BENCHMARK_CAPTURE(cipher_open, 4077, 4077)->UseManualTime();
BENCHMARK_CAPTURE(cipher_seal, 100, 100)->UseManualTime();
BENCHMARK_CAPTURE(cipher_open, 100, 100)->UseManualTime();

}  // namespace

int main(int argc, char** argv) {
  return bench::run(argc, argv,
                    {{"sealing full records / the cipher alone", "seal/4077", "cipher_seal/4077", 1.08},
                     {"opening full records / the cipher alone", "open/4077", "cipher_open/4077", 1.08}});
}
