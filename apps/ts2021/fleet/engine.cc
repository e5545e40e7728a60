// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/engine.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "common/printable.h"
#include "ts2021/msg/register.h"

namespace ts2021::app::fleet {
namespace {

constexpr std::size_t max_answer = 64 << 10;
constexpr std::size_t kept_frame = 4 << 10;
constexpr auto sweep_interval = std::chrono::seconds{1};

std::string system_text(int error) { return std::generic_category().message(error); }

std::string quoted(Bytes body) {
  std::string_view text = as_text(body);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return printable(text);
}

std::string refusal(const char* what, int status, Bytes body) {
  return std::string(what) + ": status " + std::to_string(status) + ": " + quoted(body);
}

const char* name(Node::Phase phase) {
  switch (phase) {
    case Node::Phase::off:
      break;
    case Node::Phase::connecting:
      return "connect";
    case Node::Phase::upgrading:
      return "upgrade";
    case Node::Phase::enrolling:
      return "register";
    case Node::Phase::updating:
      return "update";
    case Node::Phase::opening:
      return "first map";
    case Node::Phase::streaming:
      return "stream";
  }
  return "off";
}

}  // namespace

Engine::Engine(Server server, Markers markers, std::deque<Node>& nodes, Listener& listener)
    : server_(std::move(server)),
      markers_(markers),
      nodes_(nodes),
      listener_(listener),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      scratch_(256 << 10) {
  if (!epoll_) throw std::runtime_error("can't make an event loop");
}

void Engine::watch(Node& node, int operation, bool writable) {
  epoll_event event{};
  event.events = std::uint32_t{EPOLLIN} | (writable ? std::uint32_t{EPOLLOUT} : 0u);
  event.data.u64 = std::uint64_t{node.life} << 32 | node.number;
  if (epoll_ctl(epoll_.get(), operation, node.socket.get(), &event) != 0)
    throw std::runtime_error("epoll_ctl failed");
}

// ---- the beginning and the end

void Engine::start(Node& node, const Errand& errand, std::chrono::nanoseconds patience) {
  const Instant at = now().mono;
  node.errand = errand;
  node.begun = node.step_begun = at;
  node.deadline = at + patience;
  ++node.tries;
  connect(node);
}

void Engine::connect(Node& node) {
  node.phase = Node::Phase::connecting;
  ++node.life;
  sockaddr_storage to{};
  std::memcpy(&to, server_.address.storage.data(), sizeof to);
  node.socket.reset(socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!node.socket) return fail(node, "socket: " + system_text(errno));
  const int fd = node.socket.get(), on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (server_.sources != 0) {
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl((127u << 24) + 1 + node.number % server_.sources);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0)
      return fail(node, "bind: " + system_text(errno));
  }
  const int rc = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), server_.address.size);
  if (rc != 0 && errno != EINPROGRESS) return fail(node, "connect: " + system_text(errno));
  watch(node, EPOLL_CTL_ADD, true);
}

void Engine::on_connected(Node& node) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(node.socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return fail(node, "connect: " + system_text(error));
  const Now at = now();
  step(node, Step::tcp, at.mono);
  node.phase = Node::Phase::upgrading;
  ClientConfig config;
  config.host = server_.host;
  config.machine = &node.identity.machine;
  config.server = server_.key;
  config.version = static_cast<ProtocolVersion>(server_.speech.capability);
  config.dial_deadline = std::chrono::hours{24};  // the errand has a deadline of its own
  node.connection.emplace(config, Env{entropy_, blocks_, cipher_, nullptr, nullptr, nullptr, &slots_}, at);
  node.blocked = false;
  watch(node, EPOLL_CTL_MOD, false);
  serve(node, at.mono);
}

void Engine::reset(Node& node) {
  if (node.socket) {
    const linger at_once{1, 0};
    setsockopt(node.socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    node.socket.reset();
  }
  node.connection.reset();
  node.map.reset();
  node.call.reset();
  node.body = {};
  node.frames = PackedFrameReader();
  node.phase = Node::Phase::off;
}

void Engine::fail(Node& node, const std::string& why) {
  const bool was_streaming = node.phase == Node::Phase::streaming;
  reset(node);
  listener_.on_failed(node, was_streaming, why);
}

// ---- the loop

void Engine::turn(std::chrono::milliseconds max_wait) {
  const int count = epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                               static_cast<int>(max_wait.count()));
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    Node& node = nodes_[event.data.u64 & 0xffffffff];
    if (node.life != event.data.u64 >> 32 || !node.socket) continue;  // an earlier socket's
    if (node.phase == Node::Phase::connecting) {
      on_connected(node);
      continue;
    }
    if (event.events & EPOLLOUT) {
      node.blocked = false;
      watch(node, EPOLL_CTL_MOD, false);
    }
    if (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR))
      on_readable(node);
    else
      serve(node, now().mono);
  }
  if (const Instant at = now().mono; at >= next_sweep_) sweep(at);
}

void Engine::sweep(Instant at) {
  next_sweep_ = at + sweep_interval;
  for (Node& node : nodes_) {
    if (node.under_way() && at > node.deadline) {
      fail(node, std::string(name(node.phase)) + ": no answer in time");
    } else if (node.connection) {
      const auto due = node.connection->next_timeout();
      if (!due || *due > at) continue;
      node.connection->handle_timeout(now());
      serve(node, at);
    }
  }
}

void Engine::on_readable(Node& node) {
  const IoResult got = read_some(node.socket.get(), scratch_);
  const Now at = now();
  if (got.what == Io::some) {
    node.bytes_in += got.count;
    (void)node.connection->receive(MutableBytes(scratch_).first(got.count), at);
  } else if (got.what != Io::blocked) {
    node.connection->receive_end(at);
  }
  serve(node, at.mono);
}

// Takes events and sends what there is.
void Engine::serve(Node& node, Instant at) {
  std::array<Bytes, 16> pieces;
  for (bool busy = true; busy;) {
    busy = take_events(node, at);
    while (node.connection && !node.blocked) {
      const std::size_t count = node.connection->output(pieces, now());
      if (count == 0) break;
      const IoResult sent = write_some(node.socket.get(), std::span(pieces).first(count));
      if (sent.what == Io::some) {
        node.bytes_out += sent.count;
        node.connection->output_sent(sent.count, now());
      } else if (sent.what == Io::blocked) {
        node.blocked = true;
        watch(node, EPOLL_CTL_MOD, true);
      } else {
        node.connection->output_failed(now());
      }
      busy = true;
    }
    if (take_events(node, at)) busy = true;  // Closed follows the last byte
  }
}

bool Engine::take_events(Node& node, Instant at) {
  bool any = false;
  while (node.connection) {
    const auto event = node.connection->next_event();
    if (!event) break;
    any = true;
    on_event(node, *event, at);
  }
  return any;
}

void Engine::on_event(Node& node, const ClientEvent& event, Instant at) {
  if (std::holds_alternative<event::Ready>(event)) {
    step(node, Step::upgrade, at);
    next_step(node, at);
  } else if (const auto* head = std::get_if<event::ResponseHead>(&event)) {
    if (head->stream == node.map) {
      node.map_status = head->status;
      step(node, Step::head, at);
    } else if (head->stream == node.call) {
      node.call_status = head->status;
    }
  } else if (const auto* data = std::get_if<event::ResponseData>(&event)) {
    const StreamId stream = data->stream;
    const std::size_t size = data->bytes.size();
    if (stream == node.map && node.map_status == 200)
      on_map_bytes(node, data->bytes, at);
    else if (node.body.size() + size <= max_answer)
      node.body.insert(node.body.end(), data->bytes.begin(), data->bytes.end());
    if (node.connection) node.connection->release(stream, size);
  } else if (const auto* end = std::get_if<event::ResponseEnd>(&event)) {
    on_end(node, end->stream, at);
  } else if (const auto* gone = std::get_if<event::StreamGone>(&event)) {
    if (gone->stream == node.map || gone->stream == node.call)
      fail(node, std::string(name(node.phase)) + ": " + std::string(text(gone->why.code)));
  } else if (const auto* closed = std::get_if<event::Closed>(&event)) {
    const std::string said = quoted(as_bytes(node.connection->refusal()));
    fail(node, std::string(name(node.phase)) + ": " + std::string(text(closed->why.code)) +
                   (said.empty() ? "" : ": " + said));
  }
}

void Engine::on_map_bytes(Node& node, Bytes in, Instant at) {
  while (!in.empty() && node.map) {
    const auto taken = node.frames.feed(in);
    if (!taken) return fail(node, "map: " + std::string(text(taken.error().code)));
    in = in.subspan(*taken);
    if (!node.frames.ready()) continue;
    ++node.frame_count;
    node.frame_bytes += node.frames.frame().size() + map_prefix_size;
    const bool first = node.phase == Node::Phase::opening;
    if (first) listener_.on_step(node, Step::first_map, at - node.step_begun);
    listener_.on_message(node, node.frames.frame(), at);
    // A full map's memory is not kept; between two messages a new reader is as good as the old one.
    if (node.frames.ready() && node.frames.frame().size() > kept_frame) node.frames = PackedFrameReader();
    if (!first || node.phase != Node::Phase::opening) continue;
    node.phase = Node::Phase::streaming;
    node.tries = 0;
    listener_.on_done(node, at);
  }
}

// ---- the errand

// The first map is timed from the request as its head is: the other steps follow one another.
void Engine::step(Node& node, Step step, Instant at) {
  listener_.on_step(node, step, at - node.step_begun);
  if (step != Step::head) node.step_begun = at;
}

bool Engine::send(Node& node, std::string_view path, const std::string& json,
                  std::optional<StreamId>& stream) {
  const std::string load_balancer = node.identity.node.text();
  const Header headers[] = {{"ts-lb", load_balancer}};
  const auto sent = node.connection->request({"POST", path, headers}, share(json));
  if (!sent) {
    fail(node, std::string(path) + ": " + std::string(text(sent.error().code)));
    return false;
  }
  stream = *sent;
  node.body.clear();
  return true;
}

void Engine::next_step(Node& node, Instant at) {
  if (node.phase < Node::Phase::enrolling && node.errand.enroll) {
    node.phase = Node::Phase::enrolling;
    send(node, "/machine/register", register_request(node, server_.speech), node.call);
  } else if (node.phase < Node::Phase::updating && node.errand.update) {
    node.phase = Node::Phase::updating;
    send(node, "/machine/map", map_request(node, server_.speech, markers_, MapPurpose::update), node.call);
  } else if (node.errand.stream) {
    open_map(node, at);
  } else {
    node.phase = Node::Phase::streaming;
    listener_.on_done(node, at);
  }
}

void Engine::open_map(Node& node, Instant at) {
  node.phase = Node::Phase::opening;
  node.step_begun = at;
  node.map_status = 0;
  node.frames = PackedFrameReader();
  send(node, "/machine/map", map_request(node, server_.speech, markers_, MapPurpose::stream), node.map);
}

void Engine::update(Node& node) {
  node.call_sent = now().mono;
  if (send(node, "/machine/map", map_request(node, server_.speech, markers_, MapPurpose::update), node.call))
    serve(node, node.call_sent);
}

void Engine::reopen(Node& node, bool omit_peers, std::chrono::nanoseconds patience) {
  const Instant at = now().mono;
  node.connection->cancel(*node.map);
  node.errand = {.omit_peers = omit_peers};
  node.begun = at;
  node.deadline = at + patience;
  open_map(node, at);
  serve(node, at);
}

void Engine::on_end(Node& node, StreamId stream, Instant at) {
  if (stream == node.map) {
    if (node.map_status != 200) return fail(node, refusal("map", node.map_status, node.body));
    const auto finished = node.frames.finish();
    return fail(node, finished ? "stream: ended by the server" : "stream: ended inside a message");
  }
  if (stream != node.call) return;
  node.call.reset();
  if (node.phase == Node::Phase::enrolling) return on_enrolled(node, at);
  if (node.call_status != 200) return fail(node, refusal("update", node.call_status, node.body));
  if (node.phase == Node::Phase::updating) {
    step(node, Step::update, at);
    return next_step(node, at);
  }
  node.body = {};
  listener_.on_updated(node, node.call_sent, at);
}

void Engine::on_enrolled(Node& node, Instant at) {
  if (node.call_status != 200) return fail(node, refusal("register", node.call_status, node.body));
  const auto response = decode_copy<RegisterResponse>(node.body);
  if (!response) return fail(node, "register: " + std::string(text(response.error().code)));
  if (!response->error.empty()) return fail(node, "register: " + quoted(as_bytes(response->error)));
  if (!response->auth_url.empty()) return fail(node, "register: the server wants a login: give an auth key");
  if (!response->machine_authorized) return fail(node, "register: the machine is not authorized");
  step(node, Step::enroll, at);
  next_step(node, at);
}

}  // namespace ts2021::app::fleet
