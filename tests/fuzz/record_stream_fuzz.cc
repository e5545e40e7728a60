// SPDX-License-Identifier: BSD-3-Clause
// A stream of records. The input is a list of steps: first byte the kind, then its argument. Good records are
// made on the way, so that the reader's state is reached without breaking the cipher; between them come raw
// bytes.
#include <algorithm>
#include <array>
#include <vector>

#include "fuzz/fuzz.h"
#include "ts2021/noise/record.h"

using namespace ts2021;
using namespace ts2021::noise;

namespace {

constexpr std::array<std::uint8_t, 32> key{7};

using Buffer = std::vector<std::uint8_t>;

// What a reader says of a stream in chunks of at most `step` bytes.
struct Said {
  Buffer texts;
  std::size_t count = 0;
  bool failed = false, cut = false;
  Error error{};
  friend bool operator==(const Said&, const Said&) = default;
};

Said read(const Buffer& stream, std::size_t step) {
  BlockPool pool(1);
  CipherScratch cipher;
  Said said;
  {
    RecordReader reader(ReceiveKey::from_bytes(key), pool, cipher);
    Buffer chunk;
    for (std::size_t at = 0; at < stream.size() && !said.failed; at += chunk.size()) {
      const std::size_t n = std::min(step, stream.size() - at);
      chunk.assign(stream.begin() + static_cast<std::ptrdiff_t>(at),
                   stream.begin() + static_cast<std::ptrdiff_t>(at + n));
      reader.feed(chunk);
      for (;;) {
        const auto text = reader.next();
        if (!text) {
          said.failed = true;
          said.error = text.error();
          TS_EXPECT(pool.in_use() == 0);
          break;
        }
        if (!*text) break;
        TS_EXPECT(!(*text)->empty() && (*text)->size() <= max_plaintext_size);
        said.texts.insert(said.texts.end(), (*text)->begin(), (*text)->end());
        ++said.count;
      }
    }
    said.cut = reader.mid_record();
    TS_EXPECT(said.failed || said.cut || pool.in_use() == 0);
  }
  TS_EXPECT(pool.in_use() == 0);
  return said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  BlockPool pool(64);
  ByteQueue queue(pool, 1 << 20);
  CipherScratch cipher;
  RecordWriter writer(SendKey::from_bytes(key), queue, cipher);
  Buffer stream, texts;
  bool honest = true;
  std::size_t step = 4096;
  const auto drain = [&] {
    Bytes piece;
    while (queue.gather(std::span(&piece, 1)) == 1) {
      stream.insert(stream.end(), piece.begin(), piece.end());
      queue.consume(piece.size());
    }
  };
  for (std::size_t i = 0; i + 1 < size && stream.size() < (1 << 18);) {
    const std::uint8_t kind = data[i], argument = data[i + 1];
    i += 2;
    switch (kind & 3) {
      case 0:    // a text of up to 16 KiB, sealed
      case 1: {  // or left in the open record
        const Buffer text(static_cast<std::size_t>(argument) * ((kind & 4) ? 64 : 1), argument);
        TS_EXPECT(writer.append(text));
        texts.insert(texts.end(), text.begin(), text.end());
        if ((kind & 3) == 1) break;
        TS_EXPECT(writer.flush());
        drain();
        break;
      }
      case 2: {  // raw bytes
        TS_EXPECT(writer.flush());
        drain();
        const std::size_t n = std::min<std::size_t>(argument, size - i);
        stream.insert(stream.end(), data + i, data + i + n);
        i += n;
        if (n > 0) honest = false;
        break;
      }
      default:
        step = 1 + argument;
    }
  }
  TS_EXPECT(writer.flush());
  drain();
  const Said whole = read(stream, stream.size() + 1);
  TS_EXPECT(whole == read(stream, step));
  if (honest) TS_EXPECT(!whole.failed && !whole.cut && whole.texts == texts);
  return 0;
}
