// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <string>
#include <utility>

#include "entry/http1_head.h"
#include "entry/http1_output.h"
#include "entry/http1_parser.h"
#include "ts2021/entry/http1.h"

namespace ts2021::entry {
namespace {

// Answers 1xx in a row before the real one.
constexpr int max_interim = 16;
constexpr std::size_t max_chunk_head = 4 << 10;

bool plain_target(std::string_view target) noexcept {
  return !target.empty() && target.find_first_of(" \t") == std::string_view::npos && safe_value(target);
}

}  // namespace

struct Http1Client::Impl {
  //  idle ──request()──▶ head ──▶ body ──complete──▶ idle
  //                       └─101─▶ switched          (error and the end of input: closed)
  enum class Phase : std::uint8_t { idle, head, body, switched, closed };

  explicit Impl(const Http1Limits& given)
      : limits(given), scanner(given.max_head), parser(MessageParser::Kind::answer, 0) {}

  Http1Limits limits;
  Phase phase = Phase::head;
  bool to_head = false, may_switch = true, may_continue = false;
  int interim = 0;
  std::optional<Error> error;
  std::vector<std::uint8_t> input;
  HeadScanner scanner;
  std::vector<std::uint8_t> head_bytes;
  MessageParser parser;
  std::vector<std::uint8_t> data, lent;
  bool head_due = false, end_due = false, switch_due = false;

  [[nodiscard]] bool news() const noexcept { return head_due || end_due || switch_due || !data.empty(); }
  [[nodiscard]] Result<std::size_t> advance(Bytes in);
  [[nodiscard]] Result<void> read_head(Bytes bytes);
  void finish();
};

Result<std::size_t> Http1Client::Impl::advance(Bytes in) {
  std::size_t used = 0;
  while (true) {
    const Bytes rest = in.subspan(used);
    if (rest.empty()) return used;
    switch (phase) {
      case Phase::idle:
        return fail(Errc::bad_http_head, 310);
      case Phase::head:
        switch (scanner.scan(rest)) {
          case HeadScanner::Status::more:
            return used;
          case HeadScanner::Status::bad:
            return fail(Errc::bad_http_head, 311);  // ENT-10
          case HeadScanner::Status::too_long:
            return fail(Errc::limit_exceeded, 312);  // ENT-9
          case HeadScanner::Status::complete:
            used += scanner.size();
            if (auto read = read_head(rest.first(scanner.size())); !read) return read.error();
        }
        break;
      case Phase::body: {
        const auto taken = parser.parse_body(rest, data);
        if (!taken) return taken.error();
        used += *taken;
        if (parser.done()) {
          finish();
          break;
        }
        if (rest.size() - *taken > max_chunk_head) return fail(Errc::bad_http_body, 313);
        return used;
      }
      case Phase::switched:
      case Phase::closed:
        return used;
    }
  }
}

Result<void> Http1Client::Impl::read_head(Bytes bytes) {
  scanner.reset();
  head_bytes.assign(bytes.begin(), bytes.end());
  parser = MessageParser(to_head ? MessageParser::Kind::answer_to_head : MessageParser::Kind::answer,
                         limits.max_headers);
  if (auto parsed = parser.parse_head(head_bytes); !parsed) return parsed.error();
  const int status = parser.head().status;
  if (status < 100 || status > 599) return fail(Errc::bad_http_head, 314, static_cast<std::uint32_t>(status));
  if (status == 101) {  // ENT-7
    if (!may_switch) return fail(Errc::bad_http_head, 315, 101);
    phase = Phase::switched;
    switch_due = true;
    return {};
  }
  if (status < 200) {  // ENT-8
    if (++interim > max_interim) return fail(Errc::limit_exceeded, 316);
    return {};
  }
  head_due = true;
  phase = Phase::body;
  if (parser.done()) finish();
  return {};
}

void Http1Client::Impl::finish() {
  end_due = true;
  may_continue = parser.head().keep_alive;
  phase = Phase::idle;
}

Http1Client::Http1Client(const Http1Limits& limits) : impl_(std::make_unique<Impl>(limits)) {}
Http1Client::~Http1Client() = default;
Http1Client::Http1Client(Http1Client&&) noexcept = default;

Result<void> Http1Client::request(const Http1Request& request, ByteQueue& out) {
  Impl& my = *impl_;
  if (my.error) return *my.error;
  const bool fresh = my.phase == Impl::Phase::head && my.may_switch && my.input.empty() && my.interim == 0;
  if (!fresh && (my.phase != Impl::Phase::idle || my.news() || !my.may_continue))
    return fail(Errc::misuse, 306);
  if (!plain_target(request.method) || !plain_target(request.target) || !safe_value(request.host) ||
      !safe_headers(request.headers))
    return fail(Errc::misuse, 307);

  std::string head;
  const auto add = [&head](auto... parts) { (head.append(parts), ...); };
  add(request.method, " ", request.target, " HTTP/1.1\r\nHost: ", request.host, "\r\n");
  bool upgrades = false;
  for (const Header& header : request.headers) {
    add(header.name, ": ", header.value, "\r\n");
    upgrades = upgrades || same_token(header.name, "upgrade");
  }
  if (request.method != "GET" && request.method != "HEAD")
    add("Content-Length: ", std::to_string(request.body.size()), "\r\n");
  else if (!request.body.empty())
    return fail(Errc::misuse, 308);
  add("\r\n", as_text(request.body));
  if (!out.append(as_bytes(head))) return fail(Errc::limit_exceeded, 309);

  my.phase = Impl::Phase::head;
  my.to_head = request.method == "HEAD";
  my.may_switch = upgrades;
  my.may_continue = false;
  my.interim = 0;
  my.scanner.reset();
  return {};
}

Result<void> Http1Client::feed(Bytes in) {
  Impl& my = *impl_;
  if (my.error) return *my.error;
  if (my.phase == Impl::Phase::closed) return {};
  if (my.phase == Impl::Phase::switched) {
    my.input.insert(my.input.end(), in.begin(), in.end());
    return {};
  }
  std::vector<std::uint8_t> joined;
  Bytes all = in;
  if (!my.input.empty()) {
    joined = std::exchange(my.input, {});
    joined.insert(joined.end(), in.begin(), in.end());
    all = joined;
  }
  const auto used = my.advance(all);
  if (!used) {
    my.error = used.error();
    my.may_continue = false;
    return *my.error;
  }
  const Bytes rest = all.subspan(*used);
  my.input.assign(rest.begin(), rest.end());
  return {};
}

Result<void> Http1Client::feed_end() {
  Impl& my = *impl_;
  if (my.error) return *my.error;
  my.may_continue = false;
  switch (my.phase) {
    case Impl::Phase::head:
      my.error = fail(Errc::truncated, 317);
      return *my.error;
    case Impl::Phase::body:
      if (const auto ended = my.parser.parse_end(); !ended) {
        my.error = ended.error();
        return *my.error;
      }
      my.end_due = true;
      my.phase = Impl::Phase::closed;
      return {};
    case Impl::Phase::idle:
      my.phase = Impl::Phase::closed;
      return {};
    case Impl::Phase::switched:
    case Impl::Phase::closed:
      return {};
  }
  return {};
}

std::optional<Http1ClientEvent> Http1Client::next_event() {
  Impl& my = *impl_;
  my.lent.clear();
  if (std::exchange(my.switch_due, false)) return Http1Switched{my.parser.head().headers};
  if (std::exchange(my.head_due, false))
    return Http1ResponseHead{my.parser.head().status, my.parser.head().headers};
  if (!my.data.empty()) {
    std::swap(my.lent, my.data);
    return Http1Data{my.lent};
  }
  if (std::exchange(my.end_due, false)) return Http1End{};
  return std::nullopt;
}

std::vector<std::uint8_t> Http1Client::take_rest() {
  if (impl_->phase != Impl::Phase::switched) return {};
  return std::exchange(impl_->input, {});
}

bool Http1Client::keep_alive() const noexcept { return impl_->may_continue; }

}  // namespace ts2021::entry
