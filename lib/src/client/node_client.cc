// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/client/node_client.h"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/map_request.h"

namespace ts2021 {
namespace {

constexpr std::size_t max_text = 200;        // of an error answer, as the official client shows it
constexpr std::size_t max_answer = 1 << 20;  // any answer but map
constexpr auto logout_time =
    std::chrono::seconds{123};  // what the official client writes: 1970-01-01T00:02:03Z

}  // namespace

struct NodeClient::Impl {
  explicit Impl(NodeClientConfig c)
      : config(std::move(c)), frames(config.zstd ? Compression::zstd : Compression::none) {}

  //  start ──Ready──▶ registering ──success──▶ polling ──end──▶ done
  enum class State : std::uint8_t { start, registering, polling, done };

  const NodeClientConfig config;
  State state = State::start;
  std::optional<StreamId> stream;
  int status = 0;
  std::vector<std::uint8_t> body;
  MapFrameReader frames;
  std::deque<NodeEvent> events;
  std::deque<std::string> json_of_events;  // of the MapUpdates among them, in their order
  std::string given_json;
  std::optional<Instant> silence_until;

  void end(Error why) {
    if (std::exchange(state, State::done) != State::done) events.push_back(node_event::Ended{why});
    silence_until.reset();
  }

  void send(ClientConnection& connection, std::string_view path, std::string json) {
    const std::string load_balancer = config.node_key.text();
    const Header headers[] = {{"ts-lb", load_balancer}};  // a hint that the official client sends too
    const auto sent = connection.request({"POST", path, headers}, share(json));
    if (!sent) return end(sent.error());
    stream = *sent;
    status = 0;
    body.clear();
  }

  void start_registering(ClientConnection& connection) {
    RegisterRequest request;
    request.version = config.capability;
    request.node_key = config.node_key;
    request.hostinfo = config.hostinfo;
    request.ephemeral = config.ephemeral;
    if (!config.auth_key.empty()) {
      request.auth.emplace();
      request.auth->auth_key = config.auth_key;
    }
    if (config.log_out) request.expiry = Time(WallTime{logout_time});
    state = State::registering;
    send(connection, "/machine/register", encoded(request));
  }

  void start_polling(ClientConnection& connection, Now now) {
    MapRequest request;
    request.version = config.capability;
    if (config.zstd) request.compress = "zstd";
    request.keep_alive = true;
    request.stream = true;
    request.node_key = config.node_key;
    request.disco_key = config.disco_key;
    request.hostinfo = config.hostinfo;
    if (config.home_derp != 0) {
      request.hostinfo->net_info.emplace();
      request.hostinfo->net_info->preferred_derp = config.home_derp;
    }
    request.endpoints = config.endpoints;
    state = State::polling;
    silence_until = now.mono + config.watchdog;
    send(connection, "/machine/map", encoded(request));
  }

  void refuse(std::string_view what) {
    std::string text(as_text(body).substr(0, max_text));
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    events.push_back(node_event::Refused{what, status, std::move(text)});
    end(fail(Errc::peer_refused, 1010, static_cast<std::uint32_t>(status)));
  }

  void on_registered(ClientConnection& connection, Now now) {
    if (status != 200) return refuse("register");
    auto response = decode_copy<RegisterResponse>(body);
    if (!response) return end(response.error());
    if (!response->error.empty()) {
      body.assign(response->error.begin(), response->error.end());
      return refuse("register");
    }
    if (!response->auth_url.empty()) {
      events.push_back(node_event::LoginNeeded{response->auth_url});
      return end(fail(Errc::peer_refused, 1011));
    }
    events.push_back(node_event::Registered{*std::move(response)});
    if (config.log_out) return end(fail(Errc::closed, 1012));
    start_polling(connection, now);
  }

  void on_map_bytes(Bytes in, Now now) {
    while (!in.empty() && state == State::polling) {
      const auto taken = frames.feed(in);
      if (!taken) return end(taken.error());
      in = in.subspan(*taken);
      if (!frames.ready()) continue;
      silence_until = now.mono + config.watchdog;
      auto response = decode<MapResponse>(frames.message());
      if (!response) return end(response.error());
      events.push_back(node_event::MapUpdate{*std::move(response), {}});
      json_of_events.emplace_back(as_text(frames.message()));
    }
  }

  void on_data(ClientConnection& connection, const event::ResponseData& data, Now now) {
    if (state == State::polling && status == 200) {
      on_map_bytes(data.bytes, now);
    } else if (body.size() + data.bytes.size() > max_answer) {
      end(fail(Errc::limit_exceeded, 1013));
    } else {
      body.insert(body.end(), data.bytes.begin(), data.bytes.end());
    }
    connection.release(data.stream, data.bytes.size());
  }

  void on_end(ClientConnection& connection, Now now) {
    if (state == State::registering) return on_registered(connection, now);
    if (status != 200) return refuse("map");
    const auto finished = frames.finish();
    end(finished ? fail(Errc::end_of_stream, 1014) : finished.error());
  }
};

NodeClient::NodeClient(NodeClientConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}
NodeClient::~NodeClient() = default;

void NodeClient::handle(ClientConnection& connection, const ClientEvent& event, Now now) {
  Impl& c = *impl_;
  if (c.state == Impl::State::done) return;
  if (std::holds_alternative<event::Ready>(event)) {
    c.start_registering(connection);
  } else if (const auto* head = std::get_if<event::ResponseHead>(&event)) {
    if (head->stream == c.stream) c.status = head->status;
  } else if (const auto* data = std::get_if<event::ResponseData>(&event)) {
    if (data->stream == c.stream) c.on_data(connection, *data, now);
  } else if (const auto* ended = std::get_if<event::ResponseEnd>(&event)) {
    if (ended->stream == c.stream) c.on_end(connection, now);
  } else if (const auto* gone = std::get_if<event::StreamGone>(&event)) {
    if (gone->stream == c.stream) c.end(gone->why);
  } else if (const auto* closed = std::get_if<event::Closed>(&event)) {
    c.end(closed->why);
  }
}

void NodeClient::handle_timeout(ClientConnection& connection, Now now) {
  Impl& c = *impl_;
  if (!c.silence_until || *c.silence_until > now.mono) return;
  if (c.stream) connection.cancel(*c.stream);
  c.end(fail(Errc::timeout, 1015));
}

std::optional<NodeEvent> NodeClient::next_event() {
  Impl& c = *impl_;
  if (c.events.empty()) return std::nullopt;
  NodeEvent event = std::move(c.events.front());
  c.events.pop_front();
  if (auto* update = std::get_if<node_event::MapUpdate>(&event)) {
    c.given_json = std::move(c.json_of_events.front());
    c.json_of_events.pop_front();
    update->json = c.given_json;
  }
  return event;
}

std::optional<Instant> NodeClient::next_timeout() const noexcept { return impl_->silence_until; }

}  // namespace ts2021
