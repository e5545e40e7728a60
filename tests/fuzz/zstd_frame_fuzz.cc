// SPDX-License-Identifier: BSD-3-Clause
// A stream of map messages, read whole and byte by byte: same messages, same error, within the limits.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "ts2021/msg/map_frame.h"

namespace {

std::string transcript(ts2021::Bytes stream, ts2021::Compression compression, std::size_t step) {
  ts2021::MapFrameReader reader(compression, {.packed = 1 << 16, .unpacked = 1 << 16});
  std::string out;
  while (!stream.empty()) {
    ts2021::Bytes in = stream.first(std::min(step, stream.size()));
    stream = stream.subspan(in.size());
    while (!in.empty()) {
      const auto taken = reader.feed(in);
      if (!taken) return out + std::to_string(taken.error().origin);
      in = in.subspan(*taken);
      if (!reader.ready()) continue;
      if (reader.message().size() > 1 << 16) std::abort();
      out.append(ts2021::as_text(reader.message())).append("\n");
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ts2021::Bytes stream(data, size);
  for (const auto compression : {ts2021::Compression::none, ts2021::Compression::zstd})
    if (transcript(stream, compression, size + 1) != transcript(stream, compression, 1)) std::abort();
  return 0;
}
