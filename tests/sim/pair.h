// SPDX-License-Identifier: BSD-3-Clause
// A client and a server connection joined by a virtual wire: no sockets, no clock of its own, one seed.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/support.h"
#include "ts2021/conn/client_connection.h"
#include "ts2021/conn/server_connection.h"

namespace ts2021::test {

// Keys that every test shares: making some costs more than using them.
struct Keys {
  MachineKeyPair machine;
  std::vector<ControlNoisePair> server;
  Keys() {
    SeededEntropy entropy(99);
    machine = MachineKeyPair::generate(entropy);
    server.push_back(ControlNoisePair::generate(entropy));
  }
};
inline const Keys& keys() {
  static const Keys made;
  return made;
}

inline constexpr Route pair_routes[] = {
    {RouteId{0}, Site::noise, Method::post, "/echo", 1 << 20},
    {RouteId{1}, Site::noise, Method::post, "/stream", 1 << 20},
    {RouteId{2}, Site::noise, Method::post, "/hold", 1 << 20},
    {RouteId{3}, Site::outer, Method::get, "/key", 0},
    {RouteId{4}, Site::outer, Method::post, "/echo", 1 << 20},
};

struct PairOptions {
  ClientMode mode = ClientMode::noise;
  std::uint16_t version = 138;
  std::string early_payload = "{\"nodeKeyChallenge\":\"x\"}";
  std::size_t chunk = std::size_t{1} << 20;  // bytes per step and direction
  std::size_t blocks = 4096;
  std::size_t kept_blocks = 64;
  Limits limits{};
  noise::HandshakeCache* handshakes = nullptr;  // the server's; outlives the pair
  Tracer *server_tracer = nullptr, *client_tracer = nullptr;
};

// What a driver would do with both ends. Handlers may be replaced before the first step.
class Pair {
 public:
  explicit Pair(PairOptions options = {})
      : options_(std::move(options)), server_blocks(options_.blocks, options_.kept_blocks) {
    server_config.noise_keys = keys().server;
    server_config.routes = pair_routes;
    server_config.limits = options_.limits;
    client_config.mode = options_.mode;
    client_config.host = "control.example.com:80";
    client_config.machine = &keys().machine;
    client_config.server = keys().server.front().open;
    client_config.version = static_cast<ProtocolVersion>(options_.version);
    on_server = [this](const ServerEvent& event) { serve(event); };
    on_client = [this](const ClientEvent& event) { note(event); };
  }

  ServerConnection& server() {
    if (!server_)
      server_.emplace(server_config,
                      Env{server_entropy, server_blocks, cipher_, options_.handshakes, options_.server_tracer,
                          tamper, &server_slots},
                      clock.now);
    return *server_;
  }
  ClientConnection& client() {
    if (!client_)
      client_.emplace(client_config,
                      Env{client_entropy, client_blocks, cipher_, nullptr, options_.client_tracer},
                      clock.now);
    return *client_;
  }
  void kill_server() { server_.reset(); }
  void kill_client() { client_.reset(); }

  // One turn of one driver alone.
  bool step_client() {
    bool moved = take_client_events();
    moved |= move(client(), to_server);
    moved |= deliver(
        to_client, [&](MutableBytes in) { (void)client().receive(in, clock.now); },
        client().wants_input() && client_reads);
    return take_client_events() || moved;
  }
  bool step_server() {
    bool moved = take_server_events();
    moved |= move(server(), to_client, on_output);
    moved |= deliver(
        to_server, [&](MutableBytes in) { (void)server().receive(in, clock.now); }, server().wants_input());
    return take_server_events() || moved;
  }

  // One turn of both drivers; true when anything moved.
  bool step() {
    bool moved = take_client_events();
    moved |= take_server_events();
    moved |= move(client(), to_server);
    moved |= move(server(), to_client, on_output);
    moved |= deliver(
        to_server,
        [&](MutableBytes in) {
          recorded_to_server.insert(recorded_to_server.end(), in.begin(), in.end());
          (void)server().receive(in, clock.now);
        },
        server().wants_input());
    moved |= deliver(
        to_client, [&](MutableBytes in) { (void)client().receive(in, clock.now); },
        client().wants_input() && client_reads);
    moved |= take_client_events();
    moved |= take_server_events();
    return moved;
  }
  void run(std::size_t at_most = 200'000) {
    while (at_most-- > 0 && step()) {
    }
  }

  StreamId request(std::string_view path, std::string_view body) {
    const auto stream = client().request({"POST", path, {}}, share(body));
    if (!stream) throw std::runtime_error("request failed");
    return *stream;
  }

  // The default server: accepts everybody; /echo answers the body, /stream streams what stream_messages says.
  void serve(const ServerEvent& event) {
    if (std::holds_alternative<event::PeerKnown>(event)) {
      peers.push_back(std::get<event::PeerKnown>(event));
      (void)server().accept(as_bytes(options_.early_payload), clock.now);
    } else if (const auto* request = std::get_if<event::Request>(&event)) {
      requests.emplace_back(std::string(request->path) + " " + std::string(as_text(request->body)));
      const StreamId stream = request->stream;
      const auto route = static_cast<int>(request->route);
      const SharedBytes body = share(request->body);
      server().release(stream);
      if (route == 0 || route == 3 || route == 4) {
        (void)server().respond(stream, {200, "text/plain", {}}, route == 3 ? share("the key") : body);
      } else if (route == 1) {
        (void)server().start_stream(stream, {});
        streaming.push_back({stream, 0});
        push_next(streaming.back());
      }
    } else if (const auto* writable = std::get_if<event::Writable>(&event)) {
      for (auto& s : streaming)
        if (s.stream == writable->stream) push_next(s);
    } else if (const auto* lost = std::get_if<event::StreamGone>(&event)) {
      gone.push_back(lost->why);
    } else if (const auto* closed = std::get_if<event::Closed>(&event)) {
      server_closed = closed->why;
    }
  }

  void serve_closed(const ServerEvent& event) {
    if (const auto* closed = std::get_if<event::Closed>(&event)) server_closed = closed->why;
  }

  struct Streaming {
    StreamId stream;
    std::size_t sent;
  };
  void push_next(Streaming& s) {
    if (s.sent == stream_messages.size() && hold_streams) return;
    if (s.sent == stream_messages.size()) {
      (void)server().end_stream(s.stream);
      return;
    }
    const SharedBytes pieces[] = {share("<"), share(stream_messages[s.sent]), share(">")};
    const auto pushed = server().push(s.stream, pieces, clock.now);
    if (pushed && *pushed == Pushed::accepted) ++s.sent;
  }

  // The transcript of the client: what a user of it would see, without regard to how bytes were cut.
  void note(const ClientEvent& event) {
    if (const auto* ready = std::get_if<event::Ready>(&event)) {
      transcript += "ready " + string(ready->early_payload) + "\n";
      ready_seen = true;
    } else if (const auto* head = std::get_if<event::ResponseHead>(&event)) {
      statuses[head->stream] = head->status;
    } else if (const auto* data = std::get_if<event::ResponseData>(&event)) {
      bodies[data->stream] += string(data->bytes);
      client().release(data->stream, data->bytes.size());
    } else if (const auto* end = std::get_if<event::ResponseEnd>(&event)) {
      transcript += std::to_string(statuses[end->stream]) + " " + bodies[end->stream] + "\n";
    } else if (const auto* lost = std::get_if<event::StreamGone>(&event)) {
      transcript += "gone " + std::string(name(lost->why.code)) + "\n";
    } else if (const auto* closed = std::get_if<event::Closed>(&event)) {
      client_closed = closed->why;
    }
  }

  PairOptions options_;
  Clock clock;
  SeededEntropy server_entropy{1}, client_entropy{2};
  SlotPool server_slots;
  BlockPool server_blocks, client_blocks{4096};
  ServerConfig server_config;
  ClientConfig client_config;
  std::function<void(const ServerEvent&)> on_server;
  std::function<void(const ClientEvent&)> on_client;
  std::function<void(std::size_t)> on_output;  // bytes that the server offers at once
  Tamper* tamper = nullptr;                    // the server's
  bool client_reads = true;
  bool hold_streams = false;  // leave a stream open after its last message
  std::vector<std::string> stream_messages;

  std::deque<std::uint8_t> to_server, to_client;
  Buffer recorded_to_server;
  std::string transcript;
  bool ready_seen = false;
  std::map<StreamId, int> statuses;
  std::map<StreamId, std::string> bodies;
  std::vector<event::PeerKnown> peers;
  std::vector<std::string> requests;
  std::vector<Streaming> streaming;
  std::vector<Error> gone;
  std::optional<Error> server_closed, client_closed;

 private:
  bool take_server_events() {
    bool any = false;
    while (auto event = server().next_event()) {
      any = true;
      on_server(*event);
    }
    return any;
  }
  bool take_client_events() {
    bool any = false;
    while (auto event = client().next_event()) {
      any = true;
      on_client(*event);
    }
    return any;
  }
  template <class Connection>
  bool move(Connection& from, std::deque<std::uint8_t>& wire,
            const std::function<void(std::size_t)>& told = nullptr) {
    std::array<Bytes, 16> pieces;
    const std::size_t count = from.output(pieces, clock.now);
    if (told && count > 0) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < count; ++i) size += pieces[i].size();
      told(size);
    }
    if (count == 0 || wire.size() > (1u << 20)) return false;
    std::size_t budget = options_.chunk, sent = 0;
    for (std::size_t i = 0; i < count && budget > 0; ++i) {
      const std::size_t n = std::min(budget, pieces[i].size());
      wire.insert(wire.end(), pieces[i].begin(), pieces[i].begin() + static_cast<std::ptrdiff_t>(n));
      budget -= n;
      sent += n;
    }
    from.output_sent(sent, clock.now);
    return sent > 0;
  }
  template <class Take>
  bool deliver(std::deque<std::uint8_t>& wire, Take&& take, bool wanted) {
    if (wire.empty() || !wanted) return false;
    const std::size_t n = std::min(options_.chunk, wire.size());
    Buffer bytes(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(n));
    wire.erase(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(n));
    take(bytes);
    return true;
  }

  CipherScratch cipher_;
  std::optional<ServerConnection> server_;
  std::optional<ClientConnection> client_;
};

}  // namespace ts2021::test
