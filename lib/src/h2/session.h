// SPDX-License-Identifier: BSD-3-Clause
// What both sides of HTTP/2 share: one nghttp2 session, its output, its limits. nghttp2 stays behind this
// header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "h2/flood_meter.h"
#include "h2/frame_sink.h"
#include "h2/outgoing.h"
#include "h2/session_memory.h"
#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"
#include "ts2021/base/time.h"
#include "ts2021/http/message.h"

struct nghttp2_session;

namespace ts2021::h2 {

enum class Side : std::uint8_t { server, client };

// RFC 9113, section 7: those that we use.
enum class Code : std::uint32_t {
  no_error = 0,
  protocol_error = 1,
  internal_error = 2,
  refused_stream = 7,
  cancel = 8,
  enhance_your_calm = 11
};

struct SessionOptions {
  Side side;
  std::uint32_t max_streams;        // server: announced
  std::uint32_t stream_window;      // bytes: INITIAL_WINDOW_SIZE
  std::uint32_t connection_window;  // bytes, at least 65,535
  std::uint32_t max_header_list;    // bytes, counted as RFC 9113 does: 32 more per field
  std::uint32_t max_resets_per_10_s;
  SlotPool* slots = nullptr;  // for most of the session's memory; null: the heap
};

// What a session tells its owner during feed() and drain_to(). None of these may call feed() or drain_to().
class SessionOwner {
 public:
  // A head begins: of a new stream on the server (request), of a known one otherwise (`first` is false for
  // trailers).
  virtual void on_head_begins(std::int32_t stream, bool first) noexcept = 0;
  virtual void on_header(std::int32_t stream, std::string_view name, std::string_view value) noexcept = 0;
  virtual void on_head(std::int32_t stream) noexcept = 0;  // the head is complete
  virtual void on_data(std::int32_t stream, Bytes bytes) noexcept = 0;
  virtual void on_end(std::int32_t stream) noexcept = 0;                         // END_STREAM received
  virtual void on_closed(std::int32_t stream, std::uint32_t code) noexcept = 0;  // nghttp2 forgets the stream
  virtual void on_going_away(std::int32_t last_stream) noexcept = 0;             // GOAWAY received
  // A client's owner: the first SETTINGS of the server, numbers and values.
  virtual void on_settings(std::span<const std::pair<std::uint16_t, std::uint32_t>>) noexcept {}
  virtual void on_handed_over(std::int32_t stream) noexcept = 0;  // the sink has all of the stream's message
  virtual void on_end_sent(std::int32_t stream) noexcept = 0;     // END_STREAM given to the sink
  // The message of a stream whose head was submitted with a body; null when there is no such stream. It must
  // live until on_closed.
  virtual Outgoing* outgoing(std::int32_t stream) noexcept = 0;

 protected:
  ~SessionOwner() = default;
};

class Session {
 public:
  // Queues the preface (client), SETTINGS and the WINDOW_UPDATE of the connection. `owner` must outlive it.
  Session(const SessionOptions& options, SessionOwner& owner);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Takes all bytes. An error is final; a GOAWAY is queued for it unless the peer does not speak HTTP/2 at
  // all. While the sink holds up a DATA frame or 16 KiB of other frames, drain_to() may be the one that
  // returns it.
  [[nodiscard]] Result<void> feed(Bytes in, Now now);
  // Hands over what the sink takes, then returns the session's error if there is one.
  [[nodiscard]] Result<void> drain_to(FrameSink sink);
  [[nodiscard]] bool wants_output() const noexcept;
  [[nodiscard]] bool finished() const noexcept;  // nothing more to read or write
  [[nodiscard]] bool settings_received() const noexcept { return settings_received_; }
  [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }

  // Header names are lowered, values must not hold control characters (misuse). With `body`, DATA follows
  // from owner.outgoing(stream), else END_STREAM is on the head.
  [[nodiscard]] Result<void> submit_response(std::int32_t stream, std::span<const Header> headers, bool body);
  [[nodiscard]] Result<std::int32_t> submit_request(std::span<const Header> headers, bool body);
  void resume(std::int32_t stream) noexcept;  // outgoing(stream) has something new
  void reset(std::int32_t stream, Code code) noexcept;
  void go_away() noexcept;  // GOAWAY(NO_ERROR): streams seen so far go on, newer ones are ignored
  [[nodiscard]] bool input_ended(std::int32_t stream) const noexcept;

  // Received body bytes that no longer cost memory: opens the windows again, in steps of half of them.
  void consume_connection(std::size_t bytes) noexcept;
  void consume_stream(std::int32_t stream, std::size_t bytes) noexcept;

 private:
  struct Callbacks;
  struct Delete {
    void operator()(nghttp2_session* session) const noexcept;
  };

  void raise(Error error, Code code) noexcept;
  void count_costly() noexcept;
  void count_idle() noexcept;
  [[nodiscard]] bool frames_wait() const noexcept { return next_end_ < waiting_ends_.size(); }
  [[nodiscard]] bool offer_waiting(const FrameSink& sink) noexcept;
  void keep(Bytes frame);
  void pull_control_frames();

  SessionOwner& owner_;
  SessionMemory memory_;  // of what follows
  std::unique_ptr<nghttp2_session, Delete> ng_;
  std::vector<std::uint8_t> waiting_;        // frames that nghttp2 counts as sent and the sink has not taken
  std::vector<std::uint32_t> waiting_ends_;  // where each of them ends
  std::size_t next_end_ = 0;
  const FrameSink* sink_ = nullptr;  // during drain_to()
  std::optional<Error> error_;
  Code raised_ = Code::no_error;  // of our own error, for the GOAWAY
  Instant now_{};                 // of the running feed()
  FloodMeter costly_, idle_;
  std::uint32_t max_costly_;
  std::uint32_t max_header_list_;
  std::size_t head_size_ = 0;  // of the running head
  bool server_;
  bool settings_received_ = false;
  bool dead_ = false;  // the peer does not speak HTTP/2, or there is no memory: nothing goes out any more
};

}  // namespace ts2021::h2
