// SPDX-License-Identifier: BSD-3-Clause
// HTTP/2, server side: frames in, whole requests out; answers and map streams in, frames out (H2 rules).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <variant>

#include "h2/frame_sink.h"
#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/base/slot_pool.h"
#include "ts2021/base/time.h"
#include "ts2021/http/message.h"
#include "ts2021/http/route.h"
#include "ts2021/http/unrouted.h"

namespace ts2021::h2 {

struct ServerLimits {
  std::size_t max_bodies = 2 << 20;  // unreleased body bytes: the connection window; a body has half of it
  std::uint32_t stream_window = 256 << 10;  // INITIAL_WINDOW_SIZE
  std::uint32_t max_streams = 250;          // announced
  std::uint32_t refuse_above = 200;         // REFUSED_STREAM from here on (H2-7)
  std::uint32_t max_header_list = 16 << 10;
  std::uint32_t max_resets_per_10_s = 100;  // with pings, settings, stream errors (H2-9)
};

struct StreamWritable {
  StreamId stream;
};  // the sink has all of the message that push() took; once per message, none after end_stream()
struct StreamClosed {
  StreamId stream;
  Error why;
};  // the peer or a stream error ended it before the answer was complete; only for streams whose Request was
    // taken
using ServerSessionEvent = std::variant<Request, StreamWritable, StreamClosed, Unrouted>;

// 404, 405 (with Allow), 413 and REFUSED_STREAM are answered here; of the first two Unrouted tells, if it is
// asked for, the others raise no event. Routing looks at :method and :path only. Body memory is bounded by
// max_bodies: a stream's window opens as its body comes in, the connection's by release() only. Requests
// whose content-length does not fit beside the unreleased ones in half of max_bodies are refused (H2-8). A
// request that is cancelled before next_event() gave it out is forgotten. Commands on a stream that is gone,
// or in the wrong order, are misuse and change nothing.
class ServerSession {
 public:
  // Queues the server's SETTINGS at once. `routes` must outlive the object; rows of Site::noise count.
  // `slots` must too; null: the heap.
  ServerSession(std::span<const Route> routes, const ServerLimits& limits, bool tell_unrouted = false,
                SlotPool* slots = nullptr);
  ~ServerSession();

  // In. Takes all bytes. An error is final: GOAWAY is queued (if HTTP/2 got that far): call drain_to() once
  // more, then close. While the sink refuses, an error may come from drain_to() instead.
  [[nodiscard]] Result<void> feed(Bytes in, Now now);
  [[nodiscard]] std::optional<ServerSessionEvent> next_event();

  // Header names may have any case. A null or empty body is none; HEAD gets the head only.
  [[nodiscard]] Result<void> respond(StreamId stream, const ResponseHead& head, SharedBytes body);
  [[nodiscard]] Result<void> start_stream(StreamId stream, const ResponseHead& head);
  // One message; false when the last one has not left yet: nothing was taken, StreamWritable follows. A
  // message of at most max_data_payload bytes that fits the peer's windows is one DATA frame. Allocates
  // nothing when the stream had a message of as many pieces before, up to 16.
  [[nodiscard]] Result<bool> push(StreamId stream, std::span<const SharedBytes> pieces);
  [[nodiscard]] Result<void> end_stream(StreamId stream);  // END_STREAM on a DATA frame
  void reset_stream(StreamId stream);                      // RST_STREAM(INTERNAL_ERROR)
  void release(StreamId stream);                           // the request's views die; once per Request
  void drain();                                            // GOAWAY(NO_ERROR)

  // Out. Hands frames to the sink until it refuses or nothing is left, then returns the session's error if
  // there is one. Bodies are never copied in here.
  [[nodiscard]] Result<void> drain_to(FrameSink sink);
  [[nodiscard]] bool wants_output() const noexcept;

  [[nodiscard]] bool preface_received() const noexcept;  // preface and the client's SETTINGS
  [[nodiscard]] std::size_t open_streams() const noexcept;
  [[nodiscard]] std::size_t unreleased_bytes() const noexcept;
  // Bytes of the stream's answer or message that the sink has not got; 0 when the stream is gone.
  [[nodiscard]] std::size_t unsent(StreamId stream) const noexcept;
  // When the oldest request began whose END_STREAM has not come yet.
  [[nodiscard]] std::optional<Instant> oldest_incomplete() const noexcept;
  [[nodiscard]] bool finished() const noexcept;  // nothing more to read or write

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021::h2
