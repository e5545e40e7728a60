// SPDX-License-Identifier: BSD-3-Clause
// What both roles have behind the handshake: records in and out, over a socket or a WebSocket.
#pragma once

#include <memory>
#include <optional>

#include "h2/frame_sink.h"
#include "ts2021/base/byte_queue.h"
#include "ts2021/base/result.h"
#include "ts2021/conn/env.h"
#include "ts2021/entry/websocket.h"
#include "ts2021/noise/handshake.h"
#include "ts2021/noise/record.h"

namespace ts2021::conn {

// Plaintext in and out. `websocket` may be null; otherwise it and `out` must outlive the channel.
class Channel {
 public:
  Channel(noise::Session session, Env env, entry::WebSocket* websocket, ByteQueue& out);

  // Opens what `in` holds and gives each plaintext to `take(MutableBytes) -> Result<void>`, in order.
  template <class Take>
  [[nodiscard]] Result<void> feed(MutableBytes in, Take&& take) {
    if (!websocket_) return feed_stream(in, take);
    const Result<void> framed = websocket_->feed(in);
    for (MutableBytes payload = websocket_->next(); !payload.empty(); payload = websocket_->next())
      if (auto fed = feed_stream(payload, take); !fed) return fed;
    return framed;
  }
  // The same for bytes that have left their WebSocket messages already.
  template <class Take>
  [[nodiscard]] Result<void> feed_stream(MutableBytes in, Take&& take) {
    reader_.feed(in);
    while (true) {
      auto record = reader_.next();
      if (!record) return record.error();
      if (!*record) return {};
      if (Result<void> taken = take(**record); !taken) return taken;
    }
  }
  [[nodiscard]] bool mid_record() const noexcept { return reader_.mid_record(); }
  [[nodiscard]] bool proven() const noexcept { return reader_.proven(); }
  [[nodiscard]] std::uint64_t records_in() const noexcept { return reader_.records(); }
  [[nodiscard]] std::uint64_t records_out() const noexcept { return writer_.records(); }

  // Plaintext outward; flush() ends the open record and moves everything to the socket's queue as far as it
  // fits.
  [[nodiscard]] Result<void> append(Bytes plaintext) noexcept { return writer_.append(plaintext); }
  // Whole frames of HTTP/2; what the tamper adds goes between them.
  [[nodiscard]] h2::FrameSink sink() noexcept { return {this, &Channel::take_frame}; }
  [[nodiscard]] Result<void> flush() noexcept;
  // Bytes that wait behind the socket's queue.
  [[nodiscard]] bool backlog() const noexcept { return websocket_ && !records_.empty(); }

 private:
  static bool take_frame(void* self, std::span<const Bytes> pieces) noexcept;

  entry::WebSocket* websocket_;
  ByteQueue* out_;
  Tamper* tamper_;
  bool asked_tamper_ = false;  // for the frame that comes next
  ByteQueue records_;          // WebSocket only: sealed records on their way into messages
  noise::RecordReader reader_;
  noise::RecordWriter writer_;
};

}  // namespace ts2021::conn
