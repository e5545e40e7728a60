// SPDX-License-Identifier: BSD-3-Clause
// A server connection behind its handshake: records, HTTP/2, and what its streams and the peer owe.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "conn/channel.h"
#include "conn/outbox.h"
#include "h2/server_session.h"
#include "ts2021/conn/event.h"
#include "ts2021/conn/server_connection.h"
#include "ts2021/noise/handshake_cache.h"

namespace ts2021::conn {

class Inside {
 public:
  // `websocket` may be null; it, the outbox and the config must outlive this.
  Inside(noise::Session session, std::unique_ptr<noise::MachineSecret> unproven, Env env,
         entry::WebSocket* websocket, Outbox& out, const ServerConfig& config, Instant now);

  // How a run of input ended: with an error of the records, which ends everything at once, or of HTTP/2,
  // whose GOAWAY is still to be sent.
  struct Fed {
    Result<void> result;
    bool http2 = false;
  };
  [[nodiscard]] Fed feed(MutableBytes in, Now now);
  // Moves what is pending into the outbox, as far as it fits.
  struct Filled {
    Result<void> frames, records;
  };
  [[nodiscard]] Filled fill(Instant now);
  [[nodiscard]] bool mid_record() const noexcept { return channel.mid_record(); }

  // A stream whose peer takes nothing for too long is given up.
  void note_owed(StreamId stream, Instant now);
  void give_up_stalled(Instant now);
  [[nodiscard]] std::optional<event::StreamGone> take_given_up();

  // Until the first frame, then while no stream is open.
  [[nodiscard]] std::optional<Instant> quiet_deadline() const noexcept;
  void restart_idle(Instant now) { idle_since_ = now; }
  void note_request() { idle_since_.reset(); }
  // Of a record or a body that does not end.
  [[nodiscard]] std::optional<Instant> input_deadline() const noexcept;
  [[nodiscard]] std::optional<Instant> owed_deadline() const noexcept;

  Channel channel;
  h2::ServerSession h2;

 private:
  // What a stream's window may hold back, of an answer or a message: bytes, and when some of them last left.
  struct Owed {
    StreamId stream;
    std::size_t left;
    Instant since;
  };

  void note_streams(Instant now);

  Outbox& out_;
  Tamper* tamper_;
  const Limits& limits_;
  noise::HandshakeCache* cache_;
  std::unique_ptr<noise::MachineSecret> unproven_;  // for the cache, until the first record has opened
  Instant begun_;
  std::vector<Owed> owed_;
  std::vector<event::StreamGone> given_up_;
  std::optional<Instant> split_since_;  // a record is incomplete
  std::optional<Instant> idle_since_;   // no stream is open
};

}  // namespace ts2021::conn
