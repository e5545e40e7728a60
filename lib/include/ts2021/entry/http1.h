// SPDX-License-Identifier: BSD-3-Clause
// HTTP/1.1 as a state machine, both roles: heads, bodies, chunked streams, keep-alive. The outer site.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "ts2021/base/byte_queue.h"
#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/http/message.h"
#include "ts2021/http/route.h"
#include "ts2021/http/unrouted.h"

namespace ts2021::entry {

struct Http1Limits {
  std::size_t max_head = 16 << 10;  // request line and headers; more is 431
  std::size_t max_headers = 100;
};

// What another site than the outer one of a control server may want otherwise. The texts must outlive the
// server.
struct Http1Options {
  // Of the answers that are made here: their type, and what stands before and behind the fixed text, which
  // has no character that JSON or HTML would mind.
  std::string_view error_type = "text/plain; charset=utf-8", error_before{}, error_after = "\n";
  // Requests without it (RFC 6750) are answered 401 before anything else is looked at, their bodies unread.
  std::string_view bearer_token{};
  std::span<const std::string_view> open_paths{};  // GET and HEAD of these go without it
  bool upgrades = true;                            // false: /ts2021 is a path like any other
  bool tell_unrouted = false;                      // take_unrouted() tells of 404 and 405
};

// A request for the path /ts2021 (any method): the connection decides with read_upgrade (upgrade.h).
// Views live until the next call of feed(), respond() or take_rest().
struct UpgradeHead {
  Method method{};
  std::string_view query;
  std::span<const Header> headers;  // names in lower case, in wire order, repeats kept
  bool http11 = true;
  bool has_body = false;  // Content-Length other than 0, or Transfer-Encoding
};

using Http1Event = std::variant<Request, UpgradeHead>;

// Server side of one connection. One request at a time; what a client pipelines waits inside (bounded by one
// feed). Unknown path, wrong method, body over the route's limit and bad heads are answered here, with a
// fixed short text, and never raise an event.
class Http1Server {
 public:
  // `routes` must outlive the object; only rows of Site::outer count.
  Http1Server(std::span<const Route> routes, const Http1Limits& limits, const Http1Options& options = {});
  ~Http1Server();
  Http1Server(Http1Server&&) noexcept;

  // In. Takes all of `in`. After a bad head the error answer is queued and finished() becomes true.
  void feed(Bytes in);
  // The peer sends no more. A whole request is still answered; a stream has nobody left to read it, so that
  // finished() becomes true.
  void feed_end();

  // News. At most one request is open at a time; the next appears after its answer is complete and released.
  [[nodiscard]] std::optional<Http1Event> next_event();
  // Requests that were answered 404 or 405, in order.
  [[nodiscard]] std::optional<Unrouted> take_unrouted();

  // Answers to the open request. HEAD gets no body. A status of 204 has none.
  [[nodiscard]] Result<void> respond(StreamId stream, const ResponseHead& head, SharedBytes body);
  [[nodiscard]] Result<void> start_stream(StreamId stream, const ResponseHead& head);  // chunked
  [[nodiscard]] Result<bool> push(
      StreamId stream,
      std::span<const SharedBytes> pieces);                // false: not taken, the last one waits
  [[nodiscard]] Result<void> end_stream(StreamId stream);  // last chunk
  void release(StreamId stream);                           // the request's views die; needed once per Request

  // After UpgradeHead, one of two: take what was read behind the head and go on without this object (the 101
  // comes from upgrade.h; earlier answers have left), or refuse with a closing answer.
  [[nodiscard]] std::vector<std::uint8_t> take_rest();
  void refuse_upgrade(int status, std::string_view fixed_text, std::span<const Header> more = {});

  // Out. Moves what is pending into `out` while there is room; call again when room appears. May raise the
  // next request when one waited for room.
  void fill(ByteQueue& out);
  // The stream whose last push has moved out since the last call; none after end_stream().
  [[nodiscard]] std::optional<StreamId> take_writable() noexcept;

  // False while bytes wait inside for the answer to an open request, and after the last one. It stays true
  // during a stream, so that the peer's end is noticed; what is fed against it ends the connection at 256
  // KiB.
  [[nodiscard]] bool wants_input() const noexcept;
  [[nodiscard]] bool idle() const noexcept;  // between requests: keep-alive deadline; else head/body deadline
  [[nodiscard]] bool in_body() const noexcept;
  [[nodiscard]] bool answering() const noexcept;  // a request or an upgrade is open: no deadline for input
  [[nodiscard]] bool finished() const noexcept;   // close once `out` is empty and fill() adds nothing
  [[nodiscard]] std::size_t pending() const noexcept;  // bytes of answers that fill() has not moved yet

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Client side, for GET /key, TS2019 and the upgrade. One exchange at a time, keep-alive between them.
struct Http1Request {
  std::string_view method = "GET";
  std::string_view target;            // origin or absolute form, as given
  std::string_view host;              // value of the Host header
  std::span<const Header> headers{};  // written after Host, as given
  Bytes body{};                       // Content-Length is written when the method is not GET or HEAD
};

struct Http1ResponseHead {
  int status = 0;
  std::span<const Header> headers;  // names in lower case; live until the next call
};
struct Http1Data {
  Bytes bytes;  // part of the body; lives until the next call
};
struct Http1End {};     // body complete; the next request may be sent if keep_alive()
struct Http1Switched {  // status 101: the rest of the connection is another protocol
  std::span<const Header> headers;
};
using Http1ClientEvent = std::variant<Http1ResponseHead, Http1Data, Http1End, Http1Switched>;

// Before the first request() it expects one answer to an upgrade request (written by upgrade.h).
class Http1Client {
 public:
  explicit Http1Client(const Http1Limits& limits);
  ~Http1Client();
  Http1Client(Http1Client&&) noexcept;

  [[nodiscard]] Result<void> request(const Http1Request& request, ByteQueue& out);
  // Takes all of `in`; an error is final. 1xx answers other than 101 are skipped.
  [[nodiscard]] Result<void> feed(Bytes in);
  [[nodiscard]] Result<void> feed_end();  // error truncated inside an answer
  [[nodiscard]] std::optional<Http1ClientEvent> next_event();
  [[nodiscard]] std::vector<std::uint8_t> take_rest();  // after Http1Switched: bytes of the new protocol
  [[nodiscard]] bool keep_alive() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021::entry
