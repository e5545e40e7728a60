// SPDX-License-Identifier: BSD-3-Clause
// The client's side of a capture, with keys of its own: asks in the recorded order, each connection as it
// was.
#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "ts2021/msg/codec.h"
#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/register.h"
#include "ts2021/net/fetch_key.h"
#include "ts2021/net/session.h"
#include "ts2021/replay/replay.h"

namespace ts2021::app {
namespace {

constexpr std::size_t max_answer = 16 << 20;

// One exchange of the recording and what has come of it.
struct Play {
  const CapturedExchange* exchange;
  bool sent = false;
  bool over = false;  // its answer, or of a map the first message, has come; or it won't any more
  int status = 0;
  std::vector<std::uint8_t> body;
  std::optional<MapFrameReader> frames;
};

struct Line {
  std::unique_ptr<Session> session;
  std::map<StreamId, std::size_t> plays;
  bool ready = false, over = false;
};

class ClientReplay {
 public:
  ClientReplay(const ReplayOptions& options, const Conversation& conversation)
      : options_(options),
        conversation_(conversation),
        key_(fetch_key(options.target.control(), options.target.dialing(), newest_capability)),
        report_(options.json) {
    for (const CapturedExchange& exchange : conversation.exchanges)
      plays_.push_back({&exchange, false, false, 0, {}, {}});
    if (!options.auth_key.empty()) replace_auth_keys();
    for (const CapturedSession& session : conversation.sessions) {
      if (!session.handshake) continue;
      translation_.add(session.handshake->server, key_.public_key.text());
      auto [at, fresh] = machines_.try_emplace(session.handshake->machine);
      if (!fresh) continue;
      at->second = MachineKeyPair::generate(entropy_);
      translation_.add(at->first, at->second.open.text());
    }
  }

  int run() {
    started_ = waiting_since_ = now().mono;
    while (!finished()) {
      bool moved = true;
      while (moved) {
        moved = ask_next();
        for (auto& [name, line] : lines_)
          if (!line.over)
            line.over = !line.session->flush([&, l = &line](const ClientEvent& e) { return on(*l, e); });
        if (std::exchange(heard_, false) || give_up()) moved = true;
      }
      if (!finished()) wait();
    }
    return report_.finish();
  }

 private:
  void replace_auth_keys() {
    for (const CapturedExchange& exchange : conversation_.exchanges) {
      if (!path_of(exchange.request).ends_with("/register")) continue;
      const auto request = decode_copy<RegisterRequest>(exchange.request.body);
      if (request && request->auth) translation_.add(request->auth->auth_key, options_.auth_key);
    }
  }

  [[nodiscard]] bool finished() const {
    return std::all_of(plays_.begin(), plays_.end(), [](const Play& play) { return play.over; });
  }
  [[nodiscard]] std::size_t next() const {
    return static_cast<std::size_t>(
        std::find_if(plays_.begin(), plays_.end(), [](const Play& p) { return !p.sent; }) - plays_.begin());
  }
  // What had been answered when this was asked has been answered now too.
  [[nodiscard]] bool may_ask(std::size_t i) const {
    const std::size_t asked = plays_[i].exchange->asked;
    for (std::size_t j = 0; j < i; ++j)
      if (!plays_[j].over && plays_[j].exchange->answered < asked) return false;
    return !options_.timed || now().mono >= due(i);
  }
  [[nodiscard]] Instant due(std::size_t i) const {
    return started_ + (plays_[i].exchange->request.at - plays_.front().exchange->request.at);
  }

  bool ask_next() {
    const std::size_t i = next();
    if (i == plays_.size() || !may_ask(i)) return false;
    const CapturedExchange& exchange = *plays_[i].exchange;
    if (exchange.boxed) {
      end(i, "TS2019 is not replayed");
      return true;
    }
    Line* const line = line_of(exchange);
    if (!line || line->over) {
      end(i, "no connection");
      return true;
    }
    if (!line->ready) return false;
    send(i, *line);
    return true;
  }

  // Null when nobody listens there.
  Line* line_of(const CapturedExchange& exchange) {
    auto [at, fresh] = lines_.try_emplace({exchange.session, exchange.inside});
    if (!fresh) return &at->second;
    ClientConfig config;
    config.mode = ClientMode::http1;
    if (exchange.inside) {
      const CapturedSession* const session = conversation_.find(exchange.session);
      if (!session || !session->handshake)
        throw std::runtime_error("the capture has no handshake of that session");
      config.mode = session->handshake->websocket ? ClientMode::noise_websocket : ClientMode::noise;
      config.machine = &machines_.at(session->handshake->machine);
      config.server = key_.public_key;
      config.version = static_cast<ProtocolVersion>(session->handshake->version);
    }
    try {
      at->second.session =
          std::make_unique<Session>(options_.target.control(), options_.target.dialing(), config);
    } catch (const std::runtime_error&) {
      lines_.erase(at);
      return nullptr;
    }
    return &at->second;
  }

  void send(std::size_t i, Line& line) {
    Play& play = plays_[i];
    const CaptureLine& recorded = play.exchange->request;
    std::vector<std::string> kept;
    const auto headers = headers_to_send(recorded, translation_, &entropy_, kept);
    const std::string path = translation_.apply(recorded.path, &entropy_);
    const std::string body = translation_.apply(as_text(recorded.body), &entropy_);
    if (play.exchange->inside && path_of(recorded).ends_with("/map"))
      if (const auto asked = decode_copy<MapRequest>(as_bytes(body)))
        play.frames.emplace(parse_compression(asked->compress));
    const auto stream = line.session->connection().request({recorded.method, path, headers}, share(body));
    play.sent = true;
    waiting_since_ = now().mono;
    if (!stream) return end(i, "it could not be asked");
    line.plays[*stream] = i;
    if (play.exchange->answered == CapturedExchange::never) end(i, {});
  }

  bool on(Line& line, const ClientEvent& event) {
    heard_ = true;
    if (std::holds_alternative<event::Ready>(event)) {
      line.ready = true;
    } else if (const auto* head = std::get_if<event::ResponseHead>(&event)) {
      if (Play* play = find(line, head->stream)) play->status = head->status;
    } else if (const auto* data = std::get_if<event::ResponseData>(&event)) {
      on_data(line, *data);
    } else if (const auto* ended = std::get_if<event::ResponseEnd>(&event)) {
      if (const auto at = line.plays.find(ended->stream); at != line.plays.end()) end(at->second, {});
    } else if (const auto* gone = std::get_if<event::StreamGone>(&event)) {
      if (const auto at = line.plays.find(gone->stream); at != line.plays.end())
        end(at->second, text(gone->why.code));
    } else if (const auto* closed = std::get_if<event::Closed>(&event)) {
      for (const auto& [stream, i] : line.plays) end(i, text(closed->why.code));
    }
    return true;
  }

  Play* find(Line& line, StreamId stream) {
    const auto at = line.plays.find(stream);
    return at == line.plays.end() ? nullptr : &plays_[at->second];
  }

  void on_data(Line& line, const event::ResponseData& data) {
    if (Play* const play = find(line, data.stream)) {
      const std::size_t i = line.plays[data.stream];
      if (play->frames && play->status == 200)
        on_map(i, *play, data.bytes);
      else if (play->body.size() + data.bytes.size() <= max_answer)
        play->body.insert(play->body.end(), data.bytes.begin(), data.bytes.end());
    }
    line.session->connection().release(data.stream, data.bytes.size());
  }

  void on_map(std::size_t i, Play& play, Bytes bytes) {
    while (!bytes.empty() && !play.over) {
      const auto used = play.frames->feed(bytes);
      if (!used) return end(i, text(used.error().code));
      bytes = bytes.subspan(*used);
      if (!play.frames->ready()) continue;
      const Bytes message = play.frames->message();
      play.body.assign(message.begin(), message.end());
      end(i, {});
    }
  }

  // The exchange is over; `why`: it came to no good end.
  void end(std::size_t i, std::string_view why) {
    Play& play = plays_[i];
    play.sent = true;
    if (std::exchange(play.over, true)) return;
    waiting_since_ = now().mono;
    const CapturedExchange& exchange = *play.exchange;
    const std::string_view path = path_of(exchange.request);
    Comparison result;
    result.number = i + 1;
    result.session = exchange.session;
    result.method = exchange.request.method;
    result.path = path;
    result.recorded = kind_of_answer(exchange);
    result.seen = play.frames && play.status == 200 ? kind_of_map(play.status, play.body)
                                                    : kind_of_answer(path, play.status, play.body);
    if (exchange.unrouted) {  // which of both it was is not in the capture
      result.recorded = result.seen;
      if (play.status != 404 && play.status != 405) result.recorded.status = 404;
    }
    if (!why.empty()) result.notes.emplace_back(why);
    learn(exchange, play);
    report_.add(std::move(result));
  }

  // Where a person logs in, and what the client asks for there, is handed out by the server.
  void learn(const CapturedExchange& exchange, const Play& play) {
    if (!path_of(exchange.request).ends_with("/register") || !exchange.answer) return;
    const auto was = decode_copy<RegisterResponse>(exchange.answer->body);
    const auto is = decode_copy<RegisterResponse>(play.body);
    if (was && is) translation_.add(was->auth_url, is->auth_url);
  }

  [[nodiscard]] Instant patience_ends() const {
    return waiting_since_ + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                std::chrono::duration<double>(options_.patience));
  }
  // Nothing has come for too long: go on without.
  bool give_up() {
    if (now().mono < patience_ends()) return false;
    const std::size_t i = next();
    if (i < plays_.size() && options_.timed && now().mono < due(i)) return false;
    for (std::size_t j = 0; j < plays_.size(); ++j)
      if (plays_[j].sent && !plays_[j].over) {
        end(j, "no answer in time");
        return true;
      }
    if (i == plays_.size()) return false;
    end(i, "no connection in time");
    return true;
  }

  void wait() {
    std::vector<pollfd> waiting;
    std::vector<Session*> sessions;
    std::optional<Instant> wake = patience_ends();
    if (const std::size_t i = next(); options_.timed && i < plays_.size())
      wake = std::max(now().mono, std::min(*wake, due(i)));
    for (auto& [name, line] : lines_) {
      if (line.over) continue;
      waiting.push_back(line.session->interest());
      sessions.push_back(line.session.get());
      if (const auto due = line.session->connection().next_timeout(); due && *due < *wake) wake = due;
    }
    poll(waiting.data(), waiting.size(), poll_timeout(wake));
    for (std::size_t i = 0; i < sessions.size(); ++i) sessions[i]->on_ready(waiting[i].revents);
  }

  const ReplayOptions& options_;
  const Conversation& conversation_;
  SystemEntropy entropy_;
  const ServerKey key_;
  ReplayReport report_;
  Translation translation_;
  std::map<std::string, MachineKeyPair, std::less<>> machines_;
  std::vector<Play> plays_;
  std::map<std::pair<std::uint64_t, bool>, Line> lines_;
  Instant started_{}, waiting_since_{};
  bool heard_ = false;  // an event has come, so that another request may be due
};

}  // namespace

int replay_client(const ReplayOptions& options, const Conversation& conversation) {
  return ClientReplay(options, conversation).run();
}

}  // namespace ts2021::app
