// SPDX-License-Identifier: BSD-3-Clause
// What connections tell.
#pragma once

#include <optional>
#include <span>
#include <variant>

#include "ts2021/base/bytes.h"
#include "ts2021/base/error.h"
#include "ts2021/http/message.h"
#include "ts2021/http/route.h"
#include "ts2021/http/unrouted.h"
#include "ts2021/key/key.h"

namespace ts2021 {

namespace event {

// An initiation has opened. Answer with accept() or refuse() before giving more input. A replay gets here
// too: nobody is proven before the first Request from inside Noise (HSK-10).
struct PeerKnown {
  MachinePublic peer;
  ProtocolVersion version;
  bool websocket;
};
using Request = ts2021::Request;    // whole, within its limit; views live until release(stream)
using Unrouted = ts2021::Unrouted;  // only where ServerConfig asks for it
struct Writable {                   // the last push has left for the socket's queue; none after end_stream()
  StreamId stream;
};
struct StreamGone {  // cancelled by the peer, or stalled: a waiting call is dropped. No answer is possible.
  StreamId stream;
  Error why;
};
struct Closed {  // always the last event: close the socket
  Error why;
};

// Client side.
struct Ready {          // requests may be sent; outer site: at once
  Bytes early_payload;  // JSON, empty when there was none; lives until the next call
};
struct ResponseHead {
  StreamId stream;
  int status;
  std::span<const Header> headers;  // live until the next call
};
struct ResponseData {
  StreamId stream;
  Bytes bytes;  // lives until the next call; then release(stream, bytes.size())
};
struct ResponseEnd {
  StreamId stream;
};

}  // namespace event

using ServerEvent = std::variant<event::PeerKnown, event::Request, event::Unrouted, event::Writable,
                                 event::StreamGone, event::Closed>;
using ClientEvent = std::variant<event::Ready, event::ResponseHead, event::ResponseData, event::ResponseEnd,
                                 event::StreamGone, event::Closed>;

}  // namespace ts2021
