// SPDX-License-Identifier: BSD-3-Clause
// From JSON to pieces of map messages, counted.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "ts2021/coord/coordinator.h"
#include "ts2021/msg/map_frame.h"

namespace ts2021::coord {

// A text as pieces, made when they are first needed; what viewers with and without compression get.
using BothWays = std::array<SharedBytes, 2>;
[[nodiscard]] inline SharedBytes& way(BothWays& both, Compression compression) {
  return both[static_cast<std::size_t>(compression)];
}

class Packer {
 public:
  explicit Packer(Coordinator::Counters& counters) : counters_(counters) {}

  // Null when there is no memory.
  [[nodiscard]] SharedBytes piece(std::string_view json, Compression compression) {
    if (compression == Compression::none) return share(json);
    ++counters_.compressions;
    auto packed = compressor_.compress(as_bytes(json));
    return packed ? *packed : nullptr;
  }
  // Null when it is too long.
  [[nodiscard]] SharedPieces message(std::string_view json, Compression compression) {
    const SharedBytes whole = piece(json, compression);
    return message(std::span(&whole, 1), compression);
  }
  [[nodiscard]] SharedPieces message(std::span<const SharedBytes> pieces, Compression compression) const {
    for (const SharedBytes& one : pieces)
      if (!one) return nullptr;
    auto whole = map_message(pieces, compression);
    return whole ? *whole : nullptr;
  }
  [[nodiscard]] SharedPieces keep_alive(Compression compression) {
    auto whole = keep_alive_message(compression, &compressor_);
    return whole ? *whole : nullptr;
  }
  void count_encoding() { ++counters_.encodings; }

 private:
  Coordinator::Counters& counters_;
  ZstdCompressor compressor_;
};

}  // namespace ts2021::coord
