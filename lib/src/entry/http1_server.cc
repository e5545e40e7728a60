// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "crypto/same_bytes.h"
#include "entry/http1_head.h"
#include "entry/http1_output.h"
#include "entry/http1_parser.h"
#include "ts2021/entry/http1.h"
#include "ts2021/entry/upgrade.h"

namespace ts2021::entry {
namespace {

// Own answers stop being made while this much waits to be sent; a request in the input then waits too.
constexpr std::size_t max_answers = 16 << 10;
// Bytes that may wait behind an open request before the connection stops listening.
constexpr std::size_t max_waiting = 256 << 10;
// The body of a request that is refused anyway is read up to here, so that the connection can go on.
constexpr std::size_t max_discarded = 64 << 10;
// A chunk header with its extension, or all trailers.
constexpr std::size_t max_chunk_head = 4 << 10;

constexpr Header nosniff{"X-Content-Type-Options", "nosniff"};

std::string_view own_text(int status) noexcept {
  switch (status) {
    case 401:
      return "unauthorized";
    case 404:
      return "not found";
    case 405:
      return "method not allowed";
    case 413:
      return "request body too large";
    case 417:
      return "unsupported expectation";
    case 431:
      return "request head too large";
    case 501:
      return "unsupported transfer coding";
    default:
      return "bad request";
  }
}

// RFC 6750. The time that this takes tells nothing of the token but its length.
bool bears(std::string_view authorization, std::string_view token) noexcept {
  constexpr std::string_view scheme = "bearer ";
  if (!same_token(authorization.substr(0, scheme.size()), scheme)) return false;
  authorization.remove_prefix(scheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  return crypto::same_bytes(as_bytes(authorization), as_bytes(token));
}

bool goes_without_token(const Http1Options& options, const Request& request) noexcept {
  return (request.method == Method::get || request.method == Method::head) &&
         std::find(options.open_paths.begin(), options.open_paths.end(), request.path) !=
             options.open_paths.end();
}

// The value of Allow: the methods of the routes, and HEAD beside GET.
std::string allow_list(const RouteMatch& match) {
  std::string list;
  const auto add = [&list](std::string_view method) {
    if (!list.empty()) list += ", ";
    list += method;
  };
  for (std::size_t i = 0; i < match.allowed_count; ++i) {
    add(text(match.allowed[i]));
    if (match.allowed[i] == Method::get) add(text(Method::head));
  }
  return list;
}

}  // namespace

struct Http1Server::Impl {
  //  head ──complete──▶ body ──complete──▶ open ──answered, released──▶ head
  //   │ └─no body───────────────────────────▲ │
  //   ├─▶ upgrade (take_rest or refuse)       └─answered, Connection: close──▶ ended
  //   └─bad, refused for good, end of input──▶ ended
  // A request that is refused here (401, 404, 405) goes from body, or at once, back to head.
  enum class Phase : std::uint8_t { head, body, open, upgrade, ended };

  Impl(std::span<const Route> rows, const Http1Limits& given, const Http1Options& wanted)
      : routes(rows),
        limits(given),
        options(wanted),
        scanner(given.max_head),
        parser(MessageParser::Kind::request, 0) {}

  std::span<const Route> routes;
  Http1Limits limits;
  Http1Options options;
  Phase phase = Phase::head;
  bool input_ended = false;
  bool deaf = false;  // too much came while a request was open: the connection ends with its answer
  std::vector<std::uint8_t> input;  // not yet used
  HeadScanner scanner;
  bool skipped_line = false;  // one empty line before the head
  std::vector<std::uint8_t> head_bytes;
  MessageParser parser;
  std::vector<std::uint8_t> body;
  std::size_t body_size = 0;
  std::int32_t stream = 0;
  Request request;
  int refusal = 0;  // own answer due after the body
  std::string allow;
  std::optional<Http1Event> event;
  std::vector<Unrouted> unrouted;  // few: own answers wait for room
  Http1Output out;

  // Of the open request.
  bool released = false, answered = false, streaming = false, chunked = false, pushed = false,
       head_only = false;
  bool writable = false;
  bool keep_alive = true;

  [[nodiscard]] std::size_t advance(Bytes in);
  void advance_input();
  void read_head(Bytes bytes);
  void judge_request();
  void finish_body();
  void own_answer(int status, std::string_view text, std::span<const Header> more, bool close);
  void refuse(int status) { own_answer(status, own_text(status), {}, true); }
  void refuse_and_go_on();
  void next_request();
  void end();
  [[nodiscard]] bool is_open(StreamId id) const noexcept {
    return phase == Phase::open && !event && static_cast<std::int32_t>(id) == stream && !answered;
  }
};

// Uses what it can and returns how many bytes that was; after the end, all.
std::size_t Http1Server::Impl::advance(Bytes in) {
  std::size_t used = 0;
  while (phase != Phase::ended) {
    const Bytes rest = in.subspan(used);
    if (phase == Phase::head) {
      if (rest.empty() || out.pending() >= max_answers) return used;
      if (!skipped_line && rest[0] == '\r') {
        if (rest.size() == 1) return used;
        skipped_line = true;
        if (rest[1] == '\n') {
          used += 2;
          continue;
        }
      }
      switch (scanner.scan(rest)) {
        case HeadScanner::Status::more:
          return used;
        case HeadScanner::Status::bad:
          refuse(400);  // ENT-10
          break;
        case HeadScanner::Status::too_long:
          refuse(431);  // ENT-9
          break;
        case HeadScanner::Status::complete:
          used += scanner.size();
          read_head(rest.first(scanner.size()));
          break;
      }
    } else if (phase == Phase::body) {
      const auto taken = parser.parse_body(rest, body);
      if (!taken) {
        if (refusal == 0) refuse(static_cast<int>(taken.error().detail));
        keep_alive = false;
        if (refusal != 0) refuse_and_go_on();
        break;
      }
      used += *taken;
      if (refusal != 0) body.clear();
      if (parser.done()) {
        finish_body();
      } else if (rest.size() - *taken > max_chunk_head) {
        refuse(400);
      } else {
        return used;
      }
    } else {
      return used;
    }
  }
  return in.size();
}

void Http1Server::Impl::advance_input() {
  if (!input.empty()) {
    std::vector<std::uint8_t> bytes = std::exchange(input, {});
    const std::size_t used = advance(bytes);
    if (phase != Phase::ended && used < bytes.size()) {
      bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(used));
      input = std::move(bytes);
    }
  }
  const bool between = phase == Phase::head || phase == Phase::body;
  if (between && ((input_ended && (input.empty() || out.pending() < max_answers)) || deaf)) end();
}

void Http1Server::Impl::read_head(Bytes bytes) {
  head_bytes.assign(bytes.begin(), bytes.end());
  parser = MessageParser(MessageParser::Kind::request, limits.max_headers);
  if (const auto parsed = parser.parse_head(head_bytes); !parsed)
    refuse(static_cast<int>(parsed.error().detail));
  else
    judge_request();
}

// The head is well-formed: find what it asks for. ENT-3: the authority and the value of Host play no part.
void Http1Server::Impl::judge_request() {
  const MessageHead& head = parser.head();
  const auto hosts = std::count_if(head.headers.begin(), head.headers.end(),
                                   [](const Header& header) { return header.name == "host"; });
  if (hosts > 1 || (hosts == 0 && head.http11)) return refuse(400);  // ENT-10
  request = {};
  if (!split_target(head.target, request.path, request.query)) return refuse(400);
  request.method = parse_method(head.method);
  request.site = Site::outer;
  request.headers = head.headers;
  const bool has_body = head.body != BodyKind::none;
  const bool welcome = options.bearer_token.empty() || goes_without_token(options, request) ||
                       bears(find_header(head.headers, "authorization"), options.bearer_token);
  if (request.path == upgrade_path && options.upgrades && welcome) {
    phase = Phase::upgrade;
    event = UpgradeHead{request.method, request.query, request.headers, head.http11, has_body};
    return;
  }
  keep_alive = head.http11 && head.keep_alive;  // ENT-12
  head_only = request.method == Method::head;

  const std::string_view expect = find_header(head.headers, "expect");
  const bool wants_continue = head.http11 && same_token(expect, "100-continue");
  if (!expect.empty() && head.http11 && !wants_continue) return refuse(417);

  const RouteMatch match = match_route(routes, Site::outer, request.method, request.path);
  std::size_t max_body = match.max_body;
  refusal = 0;
  if (!welcome || match.kind != RouteMatch::Kind::found) {
    refusal = !welcome ? 401 : match.kind == RouteMatch::Kind::unknown ? 404 : 405;
    allow = allow_list(match);
    max_body = max_discarded;
    if (welcome && options.tell_unrouted)
      unrouted.push_back(Unrouted::of(Site::outer, head.method, request.path));
    // Nobody waits for a 100 whose request is refused, and a long body is not worth reading.
    if (has_body && (wants_continue || head.body_size > max_body)) keep_alive = false;
  }
  request.route = match.id;
  request.args = match.args;
  body.clear();
  if (!has_body || (refusal != 0 && !keep_alive)) return finish_body();
  if (head.body_size > max_body) return refuse(413);
  parser.limit_body(max_body);
  if (refusal == 0) {
    body.reserve(std::min<std::size_t>(static_cast<std::size_t>(head.body_size), 64 << 10) + body_padding);
    if (wants_continue) out.append("HTTP/1.1 100 Continue\r\n\r\n");  // ENT-12
  }
  phase = Phase::body;
}

void Http1Server::Impl::finish_body() {
  if (refusal != 0) return refuse_and_go_on();
  body_size = body.size();
  body.resize(body_size + body_padding);
  phase = Phase::open;
  released = answered = streaming = chunked = pushed = writable = false;
  stream = stream == std::numeric_limits<std::int32_t>::max() ? 1 : stream + 1;
  request.stream = StreamId{stream};
  request.body = Bytes(body).first(body_size);
  event = request;
}

// ENT-11
void Http1Server::Impl::own_answer(int status, std::string_view text, std::span<const Header> more,
                                   bool close) {
  std::vector<Header> headers{nosniff};
  headers.insert(headers.end(), more.begin(), more.end());
  std::string whole(options.error_before);
  whole.append(text).append(options.error_after);
  out.append(answer_head({status, options.error_type, headers}, AnswerBody::sized, whole.size(), close));
  if (!head_only) out.append(std::move(whole));
  if (close) end();
}

void Http1Server::Impl::refuse_and_go_on() {
  const std::string_view allowed = refusal == 405 ? std::string_view(allow) : std::string_view{};
  const Header header = refusal == 401 ? Header{"WWW-Authenticate", "Bearer"} : Header{"Allow", allowed};
  own_answer(refusal, own_text(refusal), {&header, header.value.empty() ? 0u : 1u}, !keep_alive);
  if (phase != Phase::ended) next_request();
}

void Http1Server::Impl::next_request() {
  phase = Phase::head;
  scanner.reset();
  skipped_line = false;
  head_only = false;
  refusal = 0;
  head_bytes = {};
  body = {};
  request = {};
}

void Http1Server::Impl::end() {
  phase = Phase::ended;
  input = {};
}

Http1Server::Http1Server(std::span<const Route> routes, const Http1Limits& limits,
                         const Http1Options& options)
    : impl_(std::make_unique<Impl>(routes, limits, options)) {}
Http1Server::~Http1Server() = default;
Http1Server::Http1Server(Http1Server&&) noexcept = default;

void Http1Server::feed(Bytes in) {
  Impl& my = *impl_;
  if (my.phase == Impl::Phase::ended || my.input_ended || my.deaf) return;
  if (!wants_input() && my.input.size() + in.size() > max_waiting) {
    my.deaf = true;
    return;
  }
  // Nothing waits: what can be used is used without a copy.
  if (my.input.empty()) in = in.subspan(my.advance(in));
  if (my.phase == Impl::Phase::ended || in.empty()) return;
  const bool fresh = my.input.empty();
  my.input.insert(my.input.end(), in.begin(), in.end());
  if (!fresh) my.advance_input();
}

void Http1Server::feed_end() {
  impl_->input_ended = true;
  // Who has stopped sending inside a stream has gone; who has sent a whole request may still read.
  if (impl_->phase == Impl::Phase::open && impl_->streaming) impl_->end();
  impl_->advance_input();
}

std::optional<Http1Event> Http1Server::next_event() {
  // What was answered before an upgrade leaves before its 101.
  if (impl_->phase == Impl::Phase::upgrade && !impl_->out.empty()) return std::nullopt;
  auto event = std::move(impl_->event);
  impl_->event.reset();
  return event;
}

std::optional<Unrouted> Http1Server::take_unrouted() {
  if (impl_->unrouted.empty()) return std::nullopt;
  Unrouted first = std::move(impl_->unrouted.front());
  impl_->unrouted.erase(impl_->unrouted.begin());
  return first;
}

Result<void> Http1Server::respond(StreamId stream, const ResponseHead& head, SharedBytes body) {
  Impl& my = *impl_;
  if (!my.is_open(stream) || my.streaming) return fail(Errc::misuse, 300);
  if (head.status < 200 || head.status > 599 || !safe_value(head.content_type) || !safe_headers(head.more))
    return fail(Errc::misuse, 301);
  const bool bare = head.status == 204 || head.status == 304;
  if (my.deaf) my.keep_alive = false;
  my.out.append(answer_head(head, bare ? AnswerBody::none : AnswerBody::sized, body ? body->size() : 0,
                            !my.keep_alive));
  if (!bare && !my.head_only) my.out.append(std::move(body));
  my.answered = true;
  if (!my.keep_alive) {
    my.end();
  } else if (my.released) {
    my.next_request();
    my.advance_input();
  }
  return {};
}

Result<void> Http1Server::start_stream(StreamId stream, const ResponseHead& head) {
  Impl& my = *impl_;
  if (!my.is_open(stream) || my.streaming) return fail(Errc::misuse, 302);
  if (head.status < 200 || head.status > 599 || head.status == 204 || head.status == 304 ||
      !safe_value(head.content_type) || !safe_headers(head.more))
    return fail(Errc::misuse, 303);
  my.streaming = true;
  my.chunked = my.parser.head().http11;
  if (my.deaf) my.keep_alive = false;
  my.out.append(
      answer_head(head, my.chunked ? AnswerBody::chunked : AnswerBody::until_close, 0, !my.keep_alive));
  if (my.input_ended) my.end();
  return {};
}

Result<bool> Http1Server::push(StreamId stream, std::span<const SharedBytes> pieces) {
  Impl& my = *impl_;
  if (!my.is_open(stream) || !my.streaming) return fail(Errc::misuse, 304);
  if (my.pushed) return false;
  std::size_t size = 0;
  for (const SharedBytes& piece : pieces) size += piece ? piece->size() : 0;
  my.pushed = true;  // until fill() has moved all of it
  if (size == 0 || my.head_only) return true;
  if (my.chunked) {
    constexpr char digits[] = "0123456789abcdef";
    std::string line(2 * sizeof(size), '0');
    for (std::size_t i = line.size(), left = size; i-- > 0; left >>= 4) line[i] = digits[left & 15];
    line.erase(0, line.find_first_not_of('0'));
    my.out.append(line += "\r\n");
  }
  for (const SharedBytes& piece : pieces) my.out.append(piece);
  if (my.chunked) my.out.append(std::string("\r\n"));
  return true;
}

Result<void> Http1Server::end_stream(StreamId stream) {
  Impl& my = *impl_;
  if (!my.is_open(stream) || !my.streaming) return fail(Errc::misuse, 305);
  if (my.chunked && !my.head_only) my.out.append(std::string("0\r\n\r\n"));
  my.answered = true;
  if (!my.keep_alive) {
    my.end();
  } else if (my.released) {
    my.next_request();
    my.advance_input();
  }
  return {};
}

void Http1Server::release(StreamId stream) {
  Impl& my = *impl_;
  if (my.phase != Impl::Phase::open || my.event || static_cast<std::int32_t>(stream) != my.stream) return;
  my.released = true;
  my.request = {};
  my.head_bytes = {};
  my.body = {};
  if (my.answered) {
    my.next_request();
    my.advance_input();
  }
}

std::vector<std::uint8_t> Http1Server::take_rest() {
  if (impl_->phase != Impl::Phase::upgrade) return {};
  auto rest = std::exchange(impl_->input, {});
  impl_->end();
  return rest;
}

void Http1Server::refuse_upgrade(int status, std::string_view fixed_text, std::span<const Header> more) {
  if (impl_->phase != Impl::Phase::upgrade) return;
  if (fixed_text.ends_with('\n')) fixed_text.remove_suffix(1);
  impl_->head_only = impl_->request.method == Method::head;
  impl_->own_answer(status, fixed_text, more, true);
}

void Http1Server::fill(ByteQueue& out) {
  Impl& my = *impl_;
  my.out.fill(out);
  if (my.pushed && my.out.empty()) {
    my.pushed = false;
    my.writable = my.phase == Impl::Phase::open && !my.answered;
  }
  if (my.phase == Impl::Phase::head && !my.input.empty() && my.out.empty()) {
    my.advance_input();
    my.out.fill(out);
  }
}

std::optional<StreamId> Http1Server::take_writable() noexcept {
  if (!impl_->writable) return std::nullopt;
  impl_->writable = false;
  return StreamId{impl_->stream};
}

bool Http1Server::wants_input() const noexcept {
  if (impl_->input_ended) return false;
  switch (impl_->phase) {
    case Impl::Phase::head:
      return impl_->out.pending() < max_answers;
    case Impl::Phase::body:
      return true;
    case Impl::Phase::open:
      return impl_->input.empty() && !impl_->deaf;
    case Impl::Phase::upgrade:
    case Impl::Phase::ended:
      return false;
  }
  return false;
}

bool Http1Server::idle() const noexcept { return impl_->phase == Impl::Phase::head && impl_->input.empty(); }
bool Http1Server::in_body() const noexcept { return impl_->phase == Impl::Phase::body; }
bool Http1Server::answering() const noexcept {
  return impl_->phase == Impl::Phase::open || impl_->phase == Impl::Phase::upgrade;
}
bool Http1Server::finished() const noexcept { return impl_->phase == Impl::Phase::ended; }
std::size_t Http1Server::pending() const noexcept { return impl_->out.pending(); }

}  // namespace ts2021::entry
