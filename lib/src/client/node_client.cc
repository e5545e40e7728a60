// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/client/node_client.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ts2021/msg/map_request.h"

namespace ts2021 {
namespace {

constexpr std::size_t max_text = 200;        // of an error answer, as the official client shows it
constexpr std::size_t max_answer = 1 << 20;  // any answer but map
constexpr auto logout_time =
    std::chrono::seconds{123};  // what the official client writes: 1970-01-01T00:02:03Z

// In seconds; a date counts as none.
std::optional<std::chrono::seconds> retry_after(std::span<const Header> headers) {
  const std::string_view text = find_header(headers, "retry-after");
  std::uint32_t seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds{seconds};
}

// One request until its answer is complete.
struct Exchange {
  Instant deadline{};
  int status = 0;
  std::vector<std::uint8_t> body{};
  std::optional<std::chrono::seconds> retry_after{};
  bool wants_body = true;
};

}  // namespace

struct NodeClient::Impl {
  Impl(NodeClientConfig c, Envelope e, Entropy* random)
      : config(std::move(c)),
        envelope(std::move(e)),
        entropy(random),
        frames(config.limits.packed),
        unpacker(config.zstd ? Compression::zstd : Compression::none, config.limits.unpacked) {}

  //  start ──Ready──▶ registering ──success──▶ polling ──end──▶ done
  //    └────────────(does not register)───────────▲
  enum class State : std::uint8_t { start, registering, polling, done };

  const NodeClientConfig config;
  Envelope envelope;
  Entropy* entropy;
  State state = State::start;
  std::optional<StreamId> stream;  // of the register request, then of the poll
  Exchange exchange;               // its answer, unless it is a map
  std::map<StreamId, Exchange> beside;
  PackedFrameReader frames;
  MapUnpacker unpacker;
  std::vector<std::uint8_t> pending;  // of the poll, not yet looked at
  std::optional<Error> ending;        // why the poll ends behind `pending`
  std::vector<std::uint8_t> opened;   // a message out of its box
  Bytes json;                         // of the MapUpdate given out last
  std::deque<NodeEvent> events;
  Now last{};
  std::optional<Instant> silence_until;

  void end(Error why) {
    if (std::exchange(state, State::done) != State::done) events.push_back(node_event::Ended{why});
    pending.clear();
    ending.reset();
    silence_until.reset();
  }

  Result<StreamId> send(ClientConnection& connection, std::string_view path, std::string_view json_text) {
    const auto target = envelope.path(path);
    if (!target) return target.error();
    SharedBytes body = share(json_text);
    if (envelope.is_boxed()) {
      if (!entropy) return fail(Errc::misuse, 1016);
      auto sealed = envelope.seal(as_bytes(json_text), *entropy);
      if (!sealed) return sealed.error();
      body = *std::move(sealed);
    }
    // A hint that the official client sends too: the old key first.
    const std::string old_key = config.old_node_key.text(), key = config.node_key.text();
    std::vector<Header> headers;
    if (!envelope.is_boxed()) {
      if (path == "/machine/register" && !config.old_node_key.is_zero())
        headers.push_back({"ts-lb", old_key});
      headers.push_back({"ts-lb", key});
    }
    return connection.request({"POST", *target, headers}, std::move(body));
  }

  void begin(ClientConnection& connection, std::string_view path, std::string_view json_text) {
    const auto sent = send(connection, path, json_text);
    if (!sent) return end(sent.error());
    stream = *sent;
    exchange = {};
  }

  void start_registering(ClientConnection& connection) {
    RegisterRequest request;
    request.version = envelope.version(config.capability);
    request.node_key = config.node_key;
    request.old_node_key = config.old_node_key;
    request.hostinfo = config.hostinfo;
    request.ephemeral = config.ephemeral;
    if (!config.auth_key.empty()) {
      request.auth.emplace();
      request.auth->auth_key = config.auth_key;
    }
    if (config.log_out) request.expiry = Time(WallTime{logout_time});
    state = State::registering;
    silence_until = last.mono + config.deadline;
    begin(connection, "/machine/register", encoded(request));
  }

  [[nodiscard]] MapRequest map_request() const {
    MapRequest request;
    request.version = config.capability;
    if (config.zstd) request.compress = "zstd";
    request.keep_alive = true;
    request.node_key = config.node_key;
    request.disco_key = config.disco_key;
    request.hostinfo = config.hostinfo;
    return request;
  }
  static void locate(MapRequest& request, std::vector<IpPort> endpoints, int home_derp) {
    if (home_derp != 0) {
      request.hostinfo->net_info.emplace();
      request.hostinfo->net_info->preferred_derp = home_derp;
    }
    request.endpoints = std::move(endpoints);
  }

  void start_polling(ClientConnection& connection) {
    MapRequest request = map_request();
    request.stream = config.stream;
    request.omit_peers = config.omit_peers;
    request.read_only = config.read_only;
    locate(request, config.endpoints, config.home_derp);
    state = State::polling;
    silence_until = last.mono + config.watchdog;
    begin(connection, "/machine/map", encoded(request));
  }

  void refuse(std::string_view what) {
    std::string text(as_text(exchange.body).substr(0, max_text));
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    events.push_back(node_event::Refused{what, exchange.status, std::move(text), exchange.retry_after});
    end(fail(Errc::peer_refused, 1010, static_cast<std::uint32_t>(exchange.status)));
  }

  void on_registered(ClientConnection& connection) {
    if (exchange.status != 200) return refuse("register");
    const auto message = envelope.open(exchange.body);
    if (!message) return end(message.error());
    auto response = decode_copy<RegisterResponse>(*message);
    if (!response) return end(response.error());
    if (!response->error.empty()) {
      exchange.body.assign(response->error.begin(), response->error.end());
      return refuse("register");
    }
    if (!response->auth_url.empty()) {
      events.push_back(node_event::LoginNeeded{response->auth_url});
      return end(fail(Errc::peer_refused, 1011));
    }
    events.push_back(node_event::Registered{*std::move(response)});
    if (config.log_out) return end(fail(Errc::closed, 1012));
    start_polling(connection);
  }

  // The next message of the poll as an event; an error ends the poll. One at a time: what is small on the
  // wire may be large.
  void look_at_pending() {
    std::size_t used = 0;
    while (used < pending.size() && state == State::polling) {
      const auto taken = frames.feed(Bytes(pending).subspan(used));
      if (!taken) return end(taken.error());
      used += *taken;
      if (!frames.ready()) continue;
      on_message();
      break;
    }
    pending.erase(pending.begin(),
                  pending.begin() + static_cast<std::ptrdiff_t>(std::min(used, pending.size())));
  }

  void on_message() {
    silence_until = last.mono + config.watchdog;
    Bytes packed = frames.frame();
    if (envelope.is_boxed()) {
      opened.assign(packed.begin(), packed.end());
      const auto inside = envelope.open(opened);
      if (!inside) return end(inside.error());
      packed = *inside;
    }
    const auto text = unpacker.unpack(packed);
    if (!text) return end(text.error());
    auto response = decode<MapResponse>(*text);
    if (!response) return end(response.error());
    json = *text;
    events.push_back(node_event::MapUpdate{*std::move(response), as_text(json), frames.frame().size()});
  }

  static bool take(Exchange& into, Bytes bytes) {
    if (!into.wants_body) return true;
    if (into.body.size() + bytes.size() > max_answer) return false;
    into.body.insert(into.body.end(), bytes.begin(), bytes.end());
    return true;
  }

  void on_head(const event::ResponseHead& head) {
    Exchange* const into = find(head.stream);
    if (!into) return;
    into->status = head.status;
    into->retry_after = retry_after(head.headers);
  }

  void on_data(ClientConnection& connection, const event::ResponseData& data) {
    Exchange* const into = find(data.stream);
    if (into == &exchange && state == State::polling && exchange.status == 200) {
      pending.insert(pending.end(), data.bytes.begin(), data.bytes.end());
    } else if (into && !take(*into, data.bytes)) {
      const Error why = fail(Errc::limit_exceeded, 1013);
      connection.cancel(data.stream);
      into == &exchange ? end(why) : answer(data.stream, why);
    }
    connection.release(data.stream, data.bytes.size());
  }

  void on_end(ClientConnection& connection, StreamId which) {
    if (which != stream) return answer(which, std::nullopt);
    if (state == State::registering) return on_registered(connection);
    if (exchange.status != 200) return refuse("map");
    end_poll(fail(Errc::end_of_stream, 1014));
  }

  void end_poll(Error why) {
    if (!ending) ending = why;
    if (pending.empty()) end_behind_pending();
  }
  void end_behind_pending() {
    const auto whole = frames.finish();
    end(!whole && ending->origin == 1014 ? whole.error() : *ending);
  }

  // A request beside the poll is over.
  void answer(StreamId which, std::optional<Error> failed) {
    const auto at = beside.find(which);
    if (at == beside.end()) return;
    Exchange& done = at->second;
    node_event::Answered event{which, done.status, {}, failed};
    if (!failed && done.wants_body) {
      Bytes body = done.body;
      if (envelope.is_boxed() && done.status == 200) {
        if (const auto inside = envelope.open(done.body))
          body = *inside;
        else
          event.failed = inside.error();
      }
      if (!event.failed) event.body.assign(as_text(body));
    }
    beside.erase(at);
    events.push_back(std::move(event));
  }

  [[nodiscard]] Exchange* find(StreamId which) {
    if (stream == which) return &exchange;
    const auto at = beside.find(which);
    return at == beside.end() ? nullptr : &at->second;
  }

  Result<StreamId> keep(Result<StreamId> sent, bool wants_body) {
    if (sent) beside[*sent] = {.deadline = last.mono + config.deadline, .wants_body = wants_body};
    return sent;
  }

  [[nodiscard]] std::optional<Instant> next_timeout() const {
    std::optional<Instant> next = silence_until;
    for (const auto& [which, waiting] : beside)
      if (!next || waiting.deadline < *next) next = waiting.deadline;
    return next;
  }
};

NodeClient::NodeClient(NodeClientConfig config)
    : impl_(std::make_unique<Impl>(std::move(config), Envelope(), nullptr)) {}
NodeClient::NodeClient(NodeClientConfig config, Envelope envelope, Entropy& entropy)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(envelope), &entropy)) {}
NodeClient::~NodeClient() = default;

void NodeClient::handle(ClientConnection& connection, const ClientEvent& event, Now now) {
  Impl& c = *impl_;
  c.last = now;
  if (c.state == Impl::State::done) return;
  if (std::holds_alternative<event::Ready>(event)) {
    c.config.registers ? c.start_registering(connection) : c.start_polling(connection);
  } else if (const auto* head = std::get_if<event::ResponseHead>(&event)) {
    c.on_head(*head);
  } else if (const auto* data = std::get_if<event::ResponseData>(&event)) {
    c.on_data(connection, *data);
  } else if (const auto* ended = std::get_if<event::ResponseEnd>(&event)) {
    c.on_end(connection, ended->stream);
  } else if (const auto* gone = std::get_if<event::StreamGone>(&event)) {
    gone->stream == c.stream ? c.end_poll(gone->why) : c.answer(gone->stream, gone->why);
  } else if (const auto* closed = std::get_if<event::Closed>(&event)) {
    c.end_poll(closed->why);
  }
}

void NodeClient::handle_timeout(ClientConnection& connection, Now now) {
  Impl& c = *impl_;
  c.last = now;
  std::vector<StreamId> late;
  for (const auto& [which, waiting] : c.beside)
    if (waiting.deadline <= now.mono) late.push_back(which);
  for (const StreamId which : late) {
    connection.cancel(which);
    c.answer(which, fail(Errc::timeout, 1017));
  }
  if (!c.silence_until || *c.silence_until > now.mono) return;
  if (c.stream) connection.cancel(*c.stream);
  c.end(fail(Errc::timeout, 1015));
}

Result<StreamId> NodeClient::request(ClientConnection& connection, const ClientCall& call, SharedBytes body,
                                     Now now) {
  impl_->last = now;
  return impl_->keep(connection.request(call, std::move(body)), true);
}

Result<StreamId> NodeClient::update(ClientConnection& connection, std::vector<IpPort> endpoints,
                                    int home_derp, Now now) {
  Impl& c = *impl_;
  c.last = now;
  MapRequest request = c.map_request();
  request.omit_peers = true;
  Impl::locate(request, std::move(endpoints), home_derp);
  return c.keep(c.send(connection, "/machine/map", encoded(request)), false);
}

std::optional<NodeEvent> NodeClient::next_event() {
  Impl& c = *impl_;
  while (c.events.empty() && !c.pending.empty()) c.look_at_pending();
  if (c.events.empty() && c.ending) c.end_behind_pending();
  if (c.events.empty()) return std::nullopt;
  NodeEvent event = std::move(c.events.front());
  c.events.pop_front();
  return event;
}

std::optional<Instant> NodeClient::next_timeout() const noexcept { return impl_->next_timeout(); }

}  // namespace ts2021
