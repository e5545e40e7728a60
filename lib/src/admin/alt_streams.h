// SPDX-License-Identifier: BSD-3-Clause
// Map requests that belong to a test: it sends every message itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "admin/stream_key.h"
#include "ts2021/admin/desk.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/key/key.h"
#include "ts2021/msg/map_frame.h"

namespace ts2021::admin {

class AltStreams {
 public:
  static constexpr std::chrono::minutes kept{10};  // after its end

  struct Message {
    CallId call{};  // who is told when it has left
    SharedPieces pieces;
  };
  struct Stream {
    StreamKey key;
    NodePublic node;
    std::string request;  // JSON
    Compression compression{};
    bool open = true;
    Instant forget_at{};            // once it has ended
    std::optional<CallId> leaving;  // whose message is on its way
    std::deque<Message> waiting;
  };

  // Its number, from 1.
  std::uint64_t add(Stream stream);
  [[nodiscard]] Stream* find(std::uint64_t id);
  [[nodiscard]] Stream* find(StreamKey key);  // open ones
  [[nodiscard]] bool has(std::uint64_t after) const { return streams_.upper_bound(after) != streams_.end(); }
  // JSON of those with larger numbers.
  [[nodiscard]] std::string list(std::uint64_t after) const;
  // The client, or the test, has ended it; those who wait for their messages are in the result.
  [[nodiscard]] std::deque<CallId> end(std::uint64_t id, Instant now);
  [[nodiscard]] std::deque<CallId> end(StreamKey key, Instant now);
  // No message of this call any more, unless it is on its way.
  void withdraw(CallId call);

  void advance(Instant now);

 private:
  std::map<std::uint64_t, Stream> streams_;
  std::map<StreamKey, std::uint64_t> open_;
  std::uint64_t last_ = 0;
};

}  // namespace ts2021::admin
