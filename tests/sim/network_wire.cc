// SPDX-License-Identifier: BSD-3-Clause
// The network of the simulation: what sockets and the wires between them do with bytes.
#include <algorithm>
#include <array>

#include "sim/network_world.h"

namespace ts2021::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// How honest ends of a line that was disturbed may end. Content is never an excuse.
bool is_ending(Errc code) {
  return code == Errc::end_of_stream || code == Errc::truncated || code == Errc::timeout ||
         code == Errc::closed || code == Errc::going_away || code == Errc::stream_reset;
}

}  // namespace

NetworkWorld::Line* NetworkWorld::find(LineId id) {
  const auto at = lines_.find(id);
  return at == lines_.end() ? nullptr : &at->second;
}

NetworkWorld::LineId NetworkWorld::open_line(std::size_t index, bool errand, bool log_out) {
  const Device& device = devices_[index];
  const LineId id{++last_line_};
  Line& line = lines_[id];
  line.id = id;
  line.device = index;
  line.errand = errand;
  line.latency = device.latency;
  line.opened = now().mono;
  ++tally.lines;
  tally.boxed_lines += device.boxed;

  ClientConfig config;
  config.mode = device.boxed ? ClientMode::http1 : ClientMode::noise;
  config.host = "control.test:80";
  config.machine = &device.machine;
  config.server = noise_keys_.front().open;
  config.version = static_cast<ProtocolVersion>(device.capability);
  line.client.emplace(config, Env{client_entropy_, client_blocks_, cipher_}, now());

  NodeClientConfig node;
  node.capability = device.capability;
  node.node_key = device.key;
  node.old_node_key = device.old_key;
  node.disco_key = device.disco;
  node.auth_key = device.ephemeral ? "passing" : "lasting";
  node.hostinfo.hostname = device.hostname;
  node.hostinfo.os = "linux";
  node.hostinfo.routable_ips = device.routes;
  if (device.ssh) node.hostinfo.ssh_host_keys = {"ssh-ed25519 AAAA"};
  node.endpoints = device.endpoints;
  node.home_derp = device.home_derp;
  node.ephemeral = device.ephemeral;
  node.zstd = device.zstd;
  node.log_out = log_out;
  if (errand && !log_out) {
    node.registers = node.stream = false;
    node.omit_peers = true;
  }
  if (device.boxed) {
    auto envelope = Envelope::boxed(device.machine, box_keys_.open);
    line.node = std::make_unique<NodeClient>(std::move(node), *std::move(envelope), client_entropy_);
  } else {
    line.node = std::make_unique<NodeClient>(std::move(node));
  }
  schedule_.after(line.latency, [this, id] { accept(id); });
  work_client(line);
  return id;
}

void NetworkWorld::accept(LineId id) {
  Line* const line = find(id);
  if (!line) return;
  if (line->severed || !line->client || line->up.hole) {
    if (!line->client) over_.push_back(id);
    return;
  }
  line->accepted = true;
  line->server.emplace(
      server_config_,
      Env{server_->entropy, server_blocks_, cipher_, &server_->handshakes, nullptr, nullptr, &slots_}, now());
  server_->service.attach(SessionId{static_cast<std::uint64_t>(id)}, *line->server);
  work_server(*line);
}

// --- one end ---

void NetworkWorld::work_server(Line& line) {
  for (bool busy = true; busy && line.server;) {
    busy = take_server_events(line);
    if (line.server && send(line, *line.server, line.down)) busy = true;
    if (line.server && take_server_events(line)) busy = true;  // Closed follows the last byte
  }
  if (!line.server) return;
  arm(line.id, line.server_alarm, line.server->next_timeout(), true);
  if (line.up.waits && line.server->wants_input()) {
    line.up.waits = false;
    schedule_.after({}, [this, id = line.id] { deliver(id, true); });
  }
}

void NetworkWorld::work_client(Line& line) {
  for (bool busy = true; busy && line.client;) {
    busy = take_client_events(line);
    if (line.client && send(line, *line.client, line.up)) busy = true;
    if (line.client && take_client_events(line)) busy = true;
  }
  if (!line.client) return;
  arm(line.id, line.client_alarm, line.client->next_timeout(), false);
  arm(line.id, line.client_alarm, line.node->next_timeout(), false);
  if (line.down.waits && line.client->wants_input()) {
    line.down.waits = false;
    schedule_.after({}, [this, id = line.id] { deliver(id, false); });
  }
}

bool NetworkWorld::take_server_events(Line& line) {
  bool any = false;
  while (auto event = line.server->next_event()) {
    any = true;
    if (const auto* closed = std::get_if<event::Closed>(&*event)) {
      end_server(line, closed->why);
      return true;
    }
    server_->service.handle(SessionId{static_cast<std::uint64_t>(line.id)}, *event, now());
  }
  return any;
}

bool NetworkWorld::take_client_events(Line& line) {
  bool any = false;
  take_node_events(line);
  while (auto event = line.client->next_event()) {
    any = true;
    line.node->handle(*line.client, *event, now());
    take_node_events(line);
    if (const auto* closed = std::get_if<event::Closed>(&*event)) {
      end_client(line, closed->why);
      return true;
    }
  }
  return any;
}

void NetworkWorld::take_node_events(Line& line) {
  while (auto event = line.node->next_event()) on_node_event(line, *event);
}

void NetworkWorld::arm(LineId id, std::optional<Instant>& alarm, std::optional<Instant> next, bool server) {
  if (!next || (alarm && *alarm <= *next)) return;
  alarm = next;
  schedule_.at(*next, [this, id, server, when = *next] { on_alarm(id, server, when); });
}

void NetworkWorld::on_alarm(LineId id, bool server, Instant when) {
  Line* const line = find(id);
  if (!line) return;
  auto& alarm = server ? line->server_alarm : line->client_alarm;
  if (alarm != when) return;
  alarm.reset();
  if (server && line->server) {
    line->server->handle_timeout(now());
    work_server(*line);
  } else if (!server && line->client) {
    line->client->handle_timeout(now());
    line->node->handle_timeout(*line->client, now());
    work_client(*line);
  }
}

void NetworkWorld::check_end(const Line& line, const Error& why, const char* side) {
  tally.timeouts += why.code == Errc::timeout;
  const bool expected = now().mono <= line.disturbed_until && is_ending(why.code);
  if (!expected)
    check(false, std::string("a connection ends at the ") + side + " without a cause: " +
                     std::string(name(why.code)) + " (check " + std::to_string(why.origin) + ")");
}

void NetworkWorld::end_server(Line& line, const Error& why) {
  check_end(line, why, "server");
  server_->service.detach(SessionId{static_cast<std::uint64_t>(line.id)});
  line.server.reset();
  if (line.stream) line.stream->open = false;
  disturb(line, minutes{1});
  carry(line, line.down, {});
  if (!line.client) over_.push_back(line.id);
}

void NetworkWorld::end_client(Line& line, const Error& why) {
  check_end(line, why, "client");
  line.client.reset();
  disturb(line, minutes{1});
  carry(line, line.up, {});
  if (line.accepted && !line.server) over_.push_back(line.id);
}

// --- the wire ---

template <class Connection>
bool NetworkWorld::send(Line& line, Connection& from, Pipe& pipe) {
  bool any = false;
  std::array<Bytes, 16> pieces;
  while (pipe.size < Pipe::room) {
    const std::size_t count = from.output(pieces, now());
    if (count == 0) break;
    Buffer bytes;
    for (std::size_t i = 0; i < count; ++i) {
      const auto part = pieces[i].first(std::min(pieces[i].size(), Pipe::room - pipe.size - bytes.size()));
      bytes.insert(bytes.end(), part.begin(), part.end());
    }
    from.output_sent(bytes.size(), now());
    carry(line, pipe, std::move(bytes));
    any = true;
  }
  pipe.blocked = pipe.size >= Pipe::room;
  tally.blocked += pipe.blocked;
  return any;
}

// Takes what a socket has taken, or its end, towards the other.
void NetworkWorld::carry(Line& line, Pipe& pipe, Buffer bytes) {
  if (line.severed) return;
  const bool up = &pipe == &line.up, ends = bytes.empty();
  pipe.size += bytes.size();
  if (pipe.hole) {
    if (ends || std::exchange(pipe.doomed, true)) return;
    schedule_.after(random_time(seconds{15}, minutes{10}), [this, id = line.id, up] { break_end(id, !up); });
    return;
  }
  Instant at = now().mono + line.latency + random_time({}, line.latency / 4);
  at = std::max(at, pipe.last);
  for (std::size_t from = 0; from < bytes.size() || ends;) {
    std::size_t size = bytes.size() - from;
    if (size > 0 && roll(6) == 0) size = 1 + roll(std::min<std::size_t>(size, 2000));
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(from);
    pipe.segments.push_back({at, Buffer(begin, begin + static_cast<std::ptrdiff_t>(size))});
    schedule_.at(at, [this, id = line.id, up] { deliver(id, up); });
    pipe.last = at;
    at += microseconds{roll(3'000)};
    from += size;
    if (ends) break;
  }
}

void NetworkWorld::deliver(LineId id, bool up) {
  Line* const line = find(id);
  if (!line) return;
  Pipe& pipe = up ? line->up : line->down;
  auto& server = line->server;
  auto& client = line->client;
  while (!pipe.segments.empty() && pipe.segments.front().at <= now().mono && !pipe.stalled) {
    if (up ? !server : !client) {  // a socket that is no more answers with a reset
      const bool data = std::any_of(pipe.segments.begin(), pipe.segments.end(),
                                    [](const Segment& segment) { return !segment.bytes.empty(); });
      pipe.segments.clear();
      pipe.size = 0;
      if (data) schedule_.after(line->latency, [this, id, up] { break_end(id, !up); });
      return;
    }
    if (up ? !server->wants_input() : !client->wants_input()) {
      pipe.waits = true;
      break;
    }
    if (faulty(NetworkFault::swaps_segments) && pipe.segments.size() > 1 && roll(50) == 0)
      std::swap(pipe.segments[0].bytes, pipe.segments[1].bytes);
    Segment segment = std::move(pipe.segments.front());
    pipe.segments.pop_front();
    pipe.size -= segment.bytes.size();
    if (faulty(NetworkFault::repeats_segment) && roll(200) == 0) {
      pipe.segments.push_front(segment);
      pipe.size += segment.bytes.size();
    }
    tally.bytes += segment.bytes.size();
    digest_.add(static_cast<std::uint64_t>(schedule_.elapsed().count()));
    digest_.add(static_cast<std::uint64_t>(id) * 2 + up);
    digest_.add(segment.bytes);
    const bool ends = segment.bytes.empty();
    if (up) {
      ends ? server->receive_end(now()) : void(server->receive(segment.bytes, now()));
      work_server(*line);
    } else {
      ends ? client->receive_end(now()) : void(client->receive(segment.bytes, now()));
      work_client(*line);
    }
  }
  if (!pipe.blocked || pipe.size >= Pipe::room) return;
  pipe.blocked = false;
  up ? work_client(*line) : work_server(*line);
}

// --- what goes wrong with it ---

void NetworkWorld::disturb(Line& line, Duration time) {
  line.disturbed_until = std::max(line.disturbed_until, now().mono + time);
}

void NetworkWorld::break_end(LineId id, bool server) {
  Line* const line = find(id);
  if (!line || (server && faulty(NetworkFault::keeps_dead))) return;
  disturb(*line, minutes{1});
  if (server && line->server) {
    line->server->output_failed(now());
    work_server(*line);
  } else if (!server && line->client) {
    line->client->output_failed(now());
    work_client(*line);
  }
}

void NetworkWorld::cut(LineId id) {
  Line* const line = find(id);
  if (!line || line->severed) return;
  ++tally.cuts;
  line->severed = true;
  for (Pipe* pipe : {&line->up, &line->down}) {
    pipe->segments.clear();
    pipe->size = 0;
  }
  for (const bool server : {false, true})
    schedule_.after(random_time({}, 2 * line->latency), [this, id, server] { break_end(id, server); });
}

void NetworkWorld::cut_silently(LineId id) {
  Line* const line = find(id);
  if (!line || line->severed || line->up.hole) return;
  ++tally.silent_cuts;
  disturb(*line, std::chrono::hours{48});
  for (Pipe* pipe : {&line->up, &line->down}) {
    pipe->hole = true;
    const bool unheard = !pipe->segments.empty();
    pipe->segments.clear();
    if (!unheard) continue;
    pipe->doomed = true;
    const bool up = pipe == &line->up;
    schedule_.after(random_time(seconds{15}, minutes{10}), [this, id, up] { break_end(id, !up); });
  }
}

void NetworkWorld::stall(LineId id, bool up, Duration time) {
  Line* const line = find(id);
  if (!line) return;
  Pipe& pipe = up ? line->up : line->down;
  if (std::exchange(pipe.stalled, true)) return;
  ++tally.stalls;
  disturb(*line, time + minutes{3});
  schedule_.after(time, [this, id, up] {
    Line* const stalled = find(id);
    if (!stalled) return;
    Pipe& again = up ? stalled->up : stalled->down;
    again.stalled = false;
    if (faulty(NetworkFault::loses_byte) && !again.segments.empty() &&
        !again.segments.front().bytes.empty()) {
      again.segments.front().bytes.pop_back();
      --again.size;
    }
    deliver(id, up);
  });
}

void NetworkWorld::hang_up(LineId id) {
  Line* const line = find(id);
  if (!line || !line->client) return;
  disturb(*line, std::chrono::hours{48});
  line->client->close(fail(Errc::closed, 1), now());
  schedule_.after({}, [this, id] {
    if (Line* const closing = find(id)) work_client(*closing);
  });
}

}  // namespace ts2021::test
