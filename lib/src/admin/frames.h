// SPDX-License-Identifier: BSD-3-Clause
// Map messages as text and as what goes out on a stream.
#pragma once

#include <string>
#include <string_view>

#include "ts2021/msg/map_frame.h"

namespace ts2021::admin {

class Frames {
 public:
  // Null: empty, above max_map_message, or no memory.
  [[nodiscard]] SharedPieces pack(std::string_view json, Compression compression);
  // The text of one whole message; empty when it is none.
  [[nodiscard]] static std::string unpack(const SharedPieces& pieces, Compression compression);
  [[nodiscard]] static bool is_keep_alive(const SharedPieces& pieces, Compression compression);

 private:
  ZstdCompressor compressor_;
};

}  // namespace ts2021::admin
