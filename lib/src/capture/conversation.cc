// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/capture/conversation.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace ts2021 {
namespace {

struct Reader {
  using Place = std::tuple<std::uint64_t, bool, std::int32_t>;  // session, inside, stream
  Conversation conversation;
  std::map<Place, std::size_t> open;
  std::size_t number = 0;

  void take(CaptureLine line) {
    ++number;
    if (line.is(CaptureLayer::tcp, "open"))
      conversation.sessions.push_back({line.session, std::nullopt});
    else if (line.is(CaptureLayer::noise, "handshake"))
      session(line.session).handshake = std::move(line);
    else if (line.event == "request")
      line.boxed ? unbox(std::move(line)) : ask(std::move(line));
    else if (line.event == "unrouted")
      unrouted(std::move(line));
    else if (CapturedExchange* const exchange = find(line))
      answer(*exchange, std::move(line));
  }

  CapturedSession& session(std::uint64_t id) {
    for (CapturedSession& known : conversation.sessions)
      if (known.id == id) return known;
    return conversation.sessions.emplace_back(CapturedSession{id, std::nullopt});
  }

  static bool is_inside(const CaptureLine& line) { return line.layer != CaptureLayer::http && !line.boxed; }
  CapturedExchange* find(const CaptureLine& line) {
    const auto at = open.find({line.session, is_inside(line), line.stream});
    return at == open.end() ? nullptr : &conversation.exchanges[at->second];
  }

  CapturedExchange& add(CaptureLine line) {
    session(line.session);
    CapturedExchange exchange;
    exchange.session = line.session;
    exchange.inside = is_inside(line);
    exchange.asked = number;
    exchange.request = std::move(line);
    return conversation.exchanges.emplace_back(std::move(exchange));
  }
  void ask(CaptureLine line) {
    const Place place{line.session, is_inside(line), line.stream};
    add(std::move(line));
    open[place] = conversation.exchanges.size() - 1;
  }
  void unbox(CaptureLine line) {
    CapturedExchange* const exchange = find(line);
    if (!exchange) return;
    exchange->boxed = true;
    exchange->request.body = std::move(line.body);
    exchange->request.machine = std::move(line.machine);
  }
  void unrouted(CaptureLine line) {
    CapturedExchange& exchange = add(std::move(line));
    exchange.unrouted = exchange.ended = true;
    exchange.answered = number;
  }

  void answer(CapturedExchange& exchange, CaptureLine line) {
    if (line.layer == CaptureLayer::map) {
      if (exchange.messages.empty()) exchange.answered = number;
      return exchange.messages.push_back(std::move(line));
    }
    if (line.event == "end") {
      exchange.ended = true;
      exchange.answered = std::min(exchange.answered, number);
    }
    if (line.event != "answer") return;
    // Of a boxed exchange both ends tell: the status outside, the message within.
    if (!exchange.answer)
      exchange.answer = std::move(line);
    else if (line.boxed)
      exchange.answer->body = std::move(line.body);
    const bool maps = path_of(exchange.request).ends_with("/map") && exchange.answer->status == 200;
    if (maps) return;
    exchange.answered = std::min(exchange.answered, number);
    exchange.ended = true;
  }
};

}  // namespace

std::string_view path_of(const CaptureLine& request) noexcept {
  return std::string_view(request.path).substr(0, request.path.find('?'));
}

Result<Conversation> Conversation::read(std::string_view text) {
  Reader reader;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    auto line = parse_capture_line(as_bytes(text.substr(0, end)));
    if (!line) return fail(line.error().code, 1403, static_cast<std::uint32_t>(reader.number + 1));
    reader.take(*std::move(line));
    text.remove_prefix(end + 1);
  }
  return std::move(reader.conversation);
}

const CapturedSession* Conversation::find(std::uint64_t session) const noexcept {
  for (const CapturedSession& known : sessions)
    if (known.id == session) return &known;
  return nullptr;
}

}  // namespace ts2021
