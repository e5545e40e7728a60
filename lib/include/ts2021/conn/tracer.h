// SPDX-License-Identifier: BSD-3-Clause
// What passes a connection, decrypted, as it passes: for captures and for whoever wants to look.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "ts2021/base/bytes.h"
#include "ts2021/base/error.h"
#include "ts2021/base/time.h"
#include "ts2021/http/message.h"
#include "ts2021/key/key.h"

namespace ts2021 {

// All views live during the call. Of both roles; `way` is seen from the end that traces: a server's requests
// come in, a client's go out.
namespace trace {

enum class Way : std::uint8_t { in, out };

struct Opened {};
// Of both sites; the body is whole. A client's `path` has the query, and `query` is empty then.
struct Request {
  Way way;
  Site site;
  StreamId stream;
  std::string_view method, path, query;
  std::span<const Header> headers;
  Bytes body;
};
// A server has no row for it and has answered 404 or 405 itself.
struct Unrouted {
  Site site;
  std::string_view method, path;
};
// An answer begins; Data may follow, then End, or Gone.
struct Answer {
  Way way;
  Site site;
  StreamId stream;
  int status;
  std::string_view content_type;  // a server's; a client's is among the headers
  std::span<const Header> headers;
};
// A part of an answer's body, or of a message that is pushed on a stream.
struct Data {
  Way way;
  Site site;
  StreamId stream;
  Bytes bytes;
};
struct End {
  Way way;
  Site site;
  StreamId stream;
};
// No answer, or no more of it.
struct Gone {
  Site site;
  StreamId stream;
  Error why;
};
// A client's upgrade has left for the socket.
struct UpgradeSent {};
// What a client was answered to it: 101, or why not.
struct UpgradeAnswer {
  int status;
  std::span<const Header> headers;
};
// The upgrade was good. On a server it is no proof of the machine yet (HSK-10).
struct Handshake {
  bool websocket;
  MachinePublic machine;
  ControlNoisePublic server;  // the key that was used
  ProtocolVersion version;
};
// A server's upgrade was refused with this status.
struct UpgradeRefused {
  int status;
};
struct EarlyPayload {
  Way way;
  Bytes json;
};
// The first SETTINGS of a client's server: numbers and values as they came, at most 32.
struct Settings {
  std::span<const std::pair<std::uint16_t, std::uint32_t>> values;
};
// What was in a box of TS2019, beside the Request or the Data that carried the box.
struct Unboxed {
  Way way;
  StreamId stream;
  MachinePublic machine;
  bool message;  // of a map stream, with its size in front; else a whole body
  Bytes bytes;
};
// The last event. Records opened and sealed; none when there was no Noise.
struct Closed {
  Error why;
  std::uint64_t records_in, records_out;
};

}  // namespace trace

using TraceEvent =
    std::variant<trace::Opened, trace::Request, trace::Unrouted, trace::Answer, trace::Data, trace::End,
                 trace::Gone, trace::UpgradeSent, trace::UpgradeAnswer, trace::Handshake,
                 trace::UpgradeRefused, trace::EarlyPayload, trace::Settings, trace::Unboxed, trace::Closed>;

// Of one connection, given to it in Env, or null: then tracing costs a comparison. Must not call back.
class Tracer {
 public:
  virtual ~Tracer() = default;
  virtual void on(const TraceEvent& event, Now now) noexcept = 0;
};

}  // namespace ts2021
