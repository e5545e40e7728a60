// SPDX-License-Identifier: BSD-3-Clause
// Map messages to digests: equal bytes are decoded once, whoever got them.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ts2021/base/result.h"
#include "ts2021/fleet/digest.h"
#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/map_response.h"

namespace ts2021::app::fleet {

class DecodeCache {
 public:
  static constexpr std::size_t max_kept = 32 << 20;    // bytes of packed messages
  static constexpr std::size_t max_message = 1 << 20;  // larger ones are not kept

  DecodeCache(Directory& directory, Compression compression)
      : directory_(directory), unpacker_(compression) {}

  // Errors: those of MapUnpacker::unpack() and decode().
  [[nodiscard]] Result<std::shared_ptr<const Digest>> read(Bytes packed);
  // All of the message, decoded anew every time.
  [[nodiscard]] Result<MapResponse> read_whole(Bytes packed);

  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }  // that read() was given
  [[nodiscard]] std::uint64_t decoded() const noexcept { return decoded_; }    // by read()
  [[nodiscard]] std::uint64_t decoded_whole() const noexcept { return decoded_whole_; }

 private:
  void keep(Bytes packed, std::shared_ptr<const Digest> digest);

  Directory& directory_;
  MapUnpacker unpacker_;
  std::unordered_map<std::string_view, std::shared_ptr<const Digest>> known_;  // views into order_
  std::deque<std::string> order_;                                              // oldest first
  std::size_t kept_ = 0;
  std::uint64_t messages_ = 0, decoded_ = 0, decoded_whole_ = 0;
};

}  // namespace ts2021::app::fleet
