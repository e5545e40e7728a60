// SPDX-License-Identifier: BSD-3-Clause
// The server's side of a capture: answers as recorded, each kind of request in its order.
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <utility>

#include "ts2021/msg/codec.h"
#include "ts2021/msg/early_noise.h"
#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/net/session.h"
#include "ts2021/replay/peer.h"
#include "ts2021/replay/replay.h"

namespace ts2021::app {
namespace {

constexpr std::size_t max_request = 1 << 20;

std::optional<MapRequest> map_request(std::string_view path, Bytes body) {
  if (!path.ends_with("/map")) return std::nullopt;
  auto asked = decode_copy<MapRequest>(body);
  return asked ? std::optional(*std::move(asked)) : std::nullopt;
}

class ServerReplay {
 public:
  ServerReplay(const ReplayOptions& options, const Conversation& conversation)
      : options_(options),
        conversation_(conversation),
        report_(options.json),
        asked_(conversation.exchanges.size()) {
    keys_.push_back(ControlNoisePair::generate(entropy_));
    std::set<std::string> known;
    for (const CapturedExchange& exchange : conversation.exchanges) {
      if (exchange.boxed || exchange.unrouted) continue;
      const std::string path(path_of(exchange.request));
      if (!known.insert((exchange.inside ? "N " : "O ") + exchange.request.method + " " + path).second)
        continue;
      if (routes_.size() == 255) throw std::runtime_error("more paths in the capture than a replay can name");
      patterns_.push_back(path);
      routes_.push_back({static_cast<RouteId>(routes_.size()), exchange.inside ? Site::noise : Site::outer,
                         parse_method(exchange.request.method), patterns_.back(), max_request});
    }
    config_.noise_keys = keys_;
    config_.routes = routes_;
    config_.tell_unrouted = true;
    for (const CapturedSession& session : conversation.sessions)
      if (session.handshake) translation_.add(session.handshake->server, keys_.front().open.text());
  }

  int run() {
    const auto endpoint = parse_endpoint(options_.listen);
    if (!endpoint) throw std::runtime_error("--listen: not an address:port: " + options_.listen);
    const Fd listener = listen_on(*endpoint);
    const std::string host = local_endpoint(listener).text(), url = "http://" + host;
    for (const CapturedExchange& exchange : conversation_.exchanges)
      for (const auto& [name, value] : exchange.request.headers)
        if (name == "host" && !exchange.inside) translation_.add("http://" + value, url);
    const Fd signals = open_signals();
    std::printf(options_.json ? "{\"url\":\"%s\"}\n" : "replaying at %s\n", url.c_str());
    std::fflush(stdout);
    while (!(options_.once && all_asked())) {
      flush();
      if (options_.once && all_asked()) break;
      if (!wait(listener, signals)) break;
    }
    linger();
    for (std::size_t i = 0; i < asked_.size(); ++i)
      if (!asked_[i]) report_.never_asked(conversation_.exchanges[i]);
    return report_.finish();
  }

 private:
  static Fd open_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    Fd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) throw std::runtime_error("signalfd failed");
    return fd;
  }

  [[nodiscard]] bool all_asked() const {
    return std::all_of(asked_.begin(), asked_.end(), [](bool asked) { return asked; });
  }
  void flush() {
    const auto on_event = [this](ReplayPeer& peer, const ServerEvent& event) { on(peer, event); };
    peers_.remove_if([&](ReplayPeer& peer) { return !peer.flush(on_event); });
    std::erase_if(machines_by_peer_, [this](const auto& entry) {
      return std::none_of(peers_.begin(), peers_.end(),
                          [&](const ReplayPeer& p) { return &p == entry.first; });
    });
  }

  // False when a signal ends it.
  bool wait(const Fd& listener, const Fd& signals) {
    std::vector<pollfd> waiting{{listener.get(), POLLIN, 0}, {signals.get(), POLLIN, 0}};
    std::optional<Instant> wake;
    for (const ReplayPeer& peer : peers_) {
      waiting.push_back(peer.interest());
      if (const auto due = peer.next_timeout(); due && (!wake || *due < *wake)) wake = due;
    }
    poll(waiting.data(), waiting.size(), poll_timeout(wake));
    std::size_t i = 2;
    for (ReplayPeer& peer : peers_) peer.on_ready(waiting[i++].revents);
    if (waiting[1].revents != 0) return false;
    Peer from;
    for (Fd socket = accept_from(listener, from); socket; socket = accept_from(listener, from))
      peers_.emplace_back(std::move(socket), config_, Env{entropy_, blocks_, cipher_});
    return true;
  }

  // What was answered last leaves before the end.
  void linger() {
    const Instant end = now().mono + std::chrono::milliseconds{500};
    while (now().mono < end && !peers_.empty()) {
      flush();
      std::vector<pollfd> waiting;
      for (const ReplayPeer& peer : peers_) waiting.push_back(peer.interest());
      poll(waiting.data(), waiting.size(), poll_timeout(end));
      std::size_t i = 0;
      for (ReplayPeer& peer : peers_) peer.on_ready(waiting[i++].revents);
    }
  }

  void on(ReplayPeer& peer, const ServerEvent& event) {
    if (const auto* known = std::get_if<event::PeerKnown>(&event)) {
      meet(peer, *known);
    } else if (const auto* request = std::get_if<event::Request>(&event)) {
      answer(peer, *request);
    } else if (const auto* unrouted = std::get_if<event::Unrouted>(&event)) {
      note_unrouted(*unrouted);
    }
  }

  // The n-th machine that comes stands for the n-th of the recording.
  void meet(ReplayPeer& peer, const event::PeerKnown& known) {
    const std::string now_text = known.peer.text();
    auto stands_for = machines_.find(now_text);
    if (stands_for == machines_.end()) {
      std::string recorded;
      for (const CapturedSession& session : conversation_.sessions) {
        if (!session.handshake) continue;
        recorded = session.handshake->machine;
        if (std::none_of(machines_.begin(), machines_.end(),
                         [&](const auto& entry) { return entry.second == recorded; }))
          break;
      }
      stands_for = machines_.emplace(now_text, recorded).first;
      translation_.add(recorded, now_text);
    }
    machines_by_peer_[&peer] = stands_for->second;
    EarlyNoise early;
    early.node_key_challenge = ChallengePrivate::generate(entropy_).public_key();
    (void)peer.connection().accept(as_bytes(encoded(early)), now());
  }

  [[nodiscard]] bool fits(const CapturedExchange& exchange, const ReplayPeer& peer, const Request& request,
                          const std::optional<MapRequest>& map) const {
    const bool inside = request.site == Site::noise;
    if (exchange.boxed || exchange.unrouted || exchange.inside != inside ||
        path_of(exchange.request) != request.path || parse_method(exchange.request.method) != request.method)
      return false;
    if (inside) {
      const CapturedSession* const session = conversation_.find(exchange.session);
      const auto machine = machines_by_peer_.find(&peer);
      if (session && session->handshake && machine != machines_by_peer_.end() &&
          session->handshake->machine != machine->second)
        return false;
    }
    if (!map) return true;
    const auto recorded = map_request(request.path, exchange.request.body);
    return recorded && recorded->stream == map->stream;
  }

  // The next of its kind in the recording, else the last one again; null: there is none.
  const CapturedExchange* find(const ReplayPeer& peer, const Request& request,
                               const std::optional<MapRequest>& map, bool& again) {
    const CapturedExchange* last = nullptr;
    for (std::size_t i = 0; i < conversation_.exchanges.size(); ++i) {
      const CapturedExchange& exchange = conversation_.exchanges[i];
      if (!fits(exchange, peer, request, map)) continue;
      if (!asked_[i]) {
        asked_[i] = true;
        return &exchange;
      }
      if (exchange.answer || !last) last = &exchange;
    }
    again = last != nullptr;
    return last;
  }

  void answer(ReplayPeer& peer, const Request& request) {
    const auto map = map_request(request.path, request.body);
    bool again = false;
    const CapturedExchange* const exchange = find(peer, request, map, again);
    Comparison result;
    result.method = text(request.method);
    result.path = request.path;
    result.seen = kind_of_body(request.body);
    if (exchange) {
      result.number = static_cast<std::size_t>(exchange - conversation_.exchanges.data()) + 1;
      result.session = exchange->session;
      result.recorded = kind_of_body(exchange->request.body);
      if (again) result.notes.emplace_back("asked more often than recorded: the last answer again");
      translation_.add_keys(exchange->request.body, request.body);
      if (exchange->answer || !exchange->messages.empty()) play(peer, request.stream, *exchange, map);
    } else {
      result.differences.emplace_back("nobody asked this in the recording");
      constexpr std::string_view text = "not in the recording\n";
      (void)peer.connection().respond(request.stream, {404, "text/plain; charset=utf-8", {}}, share(text));
    }
    peer.connection().release(request.stream);
    report_.add(std::move(result));
  }

  void play(ReplayPeer& peer, StreamId stream, const CapturedExchange& exchange,
            const std::optional<MapRequest>& map) {
    const auto delay = [&](const CaptureLine& line) -> Instant {
      return options_.timed ? now().mono + (line.at - exchange.request.at) : Instant{};
    };
    const CaptureLine head = exchange.answer ? *exchange.answer : CaptureLine{};
    const int status = exchange.answer ? head.status : 200;
    if (!map || status != 200)
      return peer.respond_at(delay(head),
                             [this, &peer, stream, head, status] { respond(peer, stream, head, status); });
    const Compression compression = parse_compression(map->compress);
    ReplayStream messages;
    for (const CaptureLine& line : exchange.messages)
      if (auto framed = map_message(as_bytes(translation_.apply(as_text(line.body))), compression, &zstd_))
        messages.messages.push_back({delay(line), *std::move(framed)});
    // What the recording's server ended at the end of its own life goes on here, unless times matter.
    if (map->stream && !(options_.timed && exchange.ended)) {
      if (auto alive = keep_alive_message(compression, &zstd_)) messages.keep_alive = *std::move(alive);
      messages.keep_alive_due = now().mono + std::chrono::seconds{50};
    }
    (void)peer.connection().start_stream(stream, {});
    peer.stream(stream, std::move(messages));
  }

  void respond(ReplayPeer& peer, StreamId stream, const CaptureLine& head, int status) {
    std::vector<std::string> kept;
    const auto more = headers_to_send(head, translation_, nullptr, kept);
    std::string_view type;
    for (const auto& [name, value] : head.headers)
      if (same_token(name, "content-type")) type = value;
    (void)peer.connection().respond(stream, {status, type, more},
                                    share(translation_.apply(as_text(head.body))));
  }

  void note_unrouted(const event::Unrouted& unrouted) {
    Comparison result;
    result.method = unrouted.method;
    result.path = unrouted.path;
    for (std::size_t i = 0; i < conversation_.exchanges.size(); ++i) {
      const CapturedExchange& exchange = conversation_.exchanges[i];
      if (asked_[i] || !exchange.unrouted || exchange.request.path != unrouted.path) continue;
      asked_[i] = true;
      result.number = i + 1;
      result.session = exchange.session;
      return report_.add(std::move(result));
    }
    result.differences.emplace_back("nobody asked this in the recording");
    report_.add(std::move(result));
  }

  const ReplayOptions& options_;
  const Conversation& conversation_;
  SystemEntropy entropy_;
  BlockPool blocks_{4096};
  CipherScratch cipher_;
  ZstdCompressor zstd_;
  ReplayReport report_;
  Translation translation_;
  std::vector<bool> asked_;
  std::vector<ControlNoisePair> keys_;
  std::list<std::string> patterns_;
  std::vector<Route> routes_;
  ServerConfig config_;
  std::list<ReplayPeer> peers_;
  std::map<std::string, std::string> machines_;  // now, recorded
  std::map<const ReplayPeer*, std::string> machines_by_peer_;
};

}  // namespace

int replay_server(const ReplayOptions& options, const Conversation& conversation) {
  return ServerReplay(options, conversation).run();
}

}  // namespace ts2021::app
