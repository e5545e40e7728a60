// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/service/control_service.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <utility>

#include "service/call.h"
#include "service/endpoints.h"
#include "ts2021/msg/early_noise.h"
#include "ts2021/msg/register.h"

namespace ts2021 {
namespace {

using service::OpenCall;
using service::Session;

constexpr std::size_t max_routes = 128;

// The connection's view of the endpoint table.
struct RouteTable {
  std::array<Route, max_routes> rows{};
  std::size_t count = 0;
  RouteTable() noexcept {
    for (const auto& endpoint : service::endpoints())
      if (count < max_routes) {
        rows[count] = {static_cast<RouteId>(count), endpoint.site, endpoint.method, endpoint.pattern,
                       endpoint.max_body};
        ++count;
      }
  }
};

StreamId stream_of(CallId call) noexcept { return static_cast<StreamId>(static_cast<std::uint64_t>(call)); }
CallId call_of(StreamId stream) noexcept { return static_cast<CallId>(static_cast<std::uint64_t>(stream)); }

}  // namespace

struct ControlService::Impl {
  Impl(const ServiceConfig& c, Entropy& e) : config(c), entropy(e) {}

  const ServiceConfig config;
  Entropy& entropy;
  std::unordered_map<SessionId, Session> sessions;
  service::BoxCache boxes;
  std::vector<CoordInput> inputs;
  std::size_t next_input = 0;

  void on(SessionId id, Session& session, const event::PeerKnown& known, Now now) {
    // What a box said before the upgrade, perhaps a replayed one, holds for nobody inside Noise. HSK-10
    if (std::exchange(session.opened, false)) inputs.push_back(coord_input::Gone{id});
    session.box.reset();
    session.machine = known.peer;
    session.version = known.version;
    std::string early;
    const bool takes_early =
        static_cast<Capability>(known.version) >= Capability::early_noise && !known.websocket;
    if (config.early_challenge && takes_early) {  // EAR-2, EAR-3
      session.challenge = ChallengePrivate::generate(entropy);
      EarlyNoise message;
      message.node_key_challenge = session.challenge.public_key();
      encode(message, static_cast<Capability>(known.version), early);
    }
    (void)session.connection->accept(as_bytes(early), now);  // a failure ends in Closed
  }

  void on(SessionId id, Session& session, const event::Request& request, Now now) {
    const auto rows = service::endpoints();
    const auto row = static_cast<std::size_t>(request.route);
    service::Call call{request, id, session, config, inputs, boxes, now};
    const std::size_t calls = session.calls.size();
    if (row < rows.size()) rows[row].call(call);
    if (session.calls.size() == calls) session.connection->release(request.stream);
  }

  // The window of its request opens again: see OpenCall.
  static void release(Session& session, OpenCall& call) {
    if (!std::exchange(call.released, true)) session.connection->release(call.stream);
  }

  void on(SessionId id, Session& session, const event::Writable& writable, Now) {
    for (OpenCall& call : session.calls)
      if (call.stream == writable.stream && std::exchange(call.in_flight, false))
        inputs.push_back(coord_input::Taken{id, call_of(call.stream)});
  }

  void on(SessionId id, Session& session, const event::StreamGone& gone, Now) {
    if (finish(session, gone.stream)) inputs.push_back(coord_input::Cancelled{id, call_of(gone.stream)});
  }

  void on(SessionId, Session&, const event::Closed&, Now) {}

  // Null when the call is over for us: cancelled, or its connection has gone.
  OpenCall* find(SessionId id, CallId call, Session** out) {
    const auto found = sessions.find(id);
    if (found == sessions.end()) return nullptr;
    *out = &found->second;
    auto& calls = found->second.calls;
    const auto open = std::find_if(calls.begin(), calls.end(),
                                   [&](const OpenCall& c) { return c.stream == stream_of(call); });
    return open == calls.end() ? nullptr : &*open;
  }

  // False when the call was over before.
  bool finish(Session& session, StreamId stream) {
    const auto call = std::find_if(session.calls.begin(), session.calls.end(),
                                   [&](const OpenCall& c) { return c.stream == stream; });
    if (call == session.calls.end()) return false;
    release(session, *call);
    session.calls.erase(call);
    return true;
  }

  void answer(Session& session, StreamId stream, const ResponseHead& head, std::string_view body) {
    (void)session.connection->respond(stream, head, share(body));
    finish(session, stream);
  }

  void on(const coord_event::RegisterReply& reply, Session& session, OpenCall& call, Now) {
    std::string body;
    encode(*reply.reply, static_cast<Capability>(session.version), body);
    if (!session.box) return answer(session, call.stream, {200, "application/json", {}}, body);
    (void)session.connection->respond(call.stream, {},
                                      service::seal_answer(*session.box, as_bytes(body), entropy));
    finish(session, call.stream);
  }

  void on(const coord_event::MapFrame& frame, Session& session, OpenCall& call, Now now) {
    if (!std::exchange(call.streaming, true)) (void)session.connection->start_stream(call.stream, {});
    release(session, call);
    const std::vector<SharedBytes>* pieces = frame.pieces.get();
    std::vector<SharedBytes> boxed;
    if (session.box) {
      boxed.push_back(service::seal_map_message(*session.box, *frame.pieces, entropy));
      pieces = &boxed;
    }
    const auto pushed = session.connection->push(call.stream, *pieces, now);
    // The coordinator keeps one frame in flight, so this one is taken unless the stream has just gone.
    call.in_flight = pushed && *pushed == Pushed::accepted;
  }

  void on(const coord_event::MapEnd&, Session& session, OpenCall& call, Now) {
    const StreamId stream = call.stream;
    if (!call.streaming) return answer(session, stream, {}, {});
    (void)session.connection->end_stream(stream);
    finish(session, stream);
  }

  void on(const coord_event::Answer&, Session& session, OpenCall& call, Now) {
    answer(session, call.stream, {}, {});
  }

  void on(const coord_event::Refused& refused, Session& session, OpenCall& call, Now) {
    std::vector<Header> more{{"X-Content-Type-Options", "nosniff"}};
    const std::string seconds = refused.retry_after ? std::to_string(refused.retry_after->count()) : "";
    if (refused.retry_after) more.push_back({"Retry-After", seconds});
    answer(session, call.stream, {refused.status, "text/plain; charset=utf-8", more},
           std::string(refused.text) + "\n");
  }
};

ControlService::ControlService(const ServiceConfig& config, Entropy& entropy)
    : impl_(std::make_unique<Impl>(config, entropy)) {}
ControlService::~ControlService() = default;

std::span<const Route> ControlService::routes() noexcept {
  static const RouteTable table;
  return std::span(table.rows).first(table.count);
}

void ControlService::attach(SessionId session, ServerConnection& connection) {
  impl_->sessions[session].connection = &connection;
}

void ControlService::detach(SessionId session) {
  const auto found = impl_->sessions.find(session);
  if (found == impl_->sessions.end()) return;
  if (found->second.opened) impl_->inputs.push_back(coord_input::Gone{session});
  impl_->sessions.erase(found);
}

void ControlService::handle(SessionId session, const ServerEvent& event, Now now) {
  const auto found = impl_->sessions.find(session);
  if (found == impl_->sessions.end()) return;
  std::visit([&](const auto& e) { impl_->on(session, found->second, e, now); }, event);
}

void ControlService::drain(SessionId session, Now now) {
  const auto found = impl_->sessions.find(session);
  if (found == impl_->sessions.end()) return;
  for (const OpenCall& call : found->second.calls)
    if (call.streaming) (void)found->second.connection->end_stream(call.stream);
  found->second.connection->drain(now);
}

std::optional<CoordInput> ControlService::next_input() {
  if (impl_->next_input == impl_->inputs.size()) {
    impl_->inputs.clear();
    impl_->next_input = 0;
    return std::nullopt;
  }
  return std::move(impl_->inputs[impl_->next_input++]);
}

std::optional<SessionId> ControlService::on_event(const CoordEvent& event, Now now) {
  return std::visit(
      [&](const auto& e) -> std::optional<SessionId> {
        using Event = std::decay_t<decltype(e)>;
        if constexpr (!requires { e.session; }) {
          return std::nullopt;
        } else if constexpr (std::is_same_v<Event, coord_event::Drop>) {
          const auto found = impl_->sessions.find(e.session);
          if (found == impl_->sessions.end()) return std::nullopt;
          found->second.connection->close(e.why, now);
          return e.session;
        } else {
          Session* session = nullptr;
          OpenCall* const call = impl_->find(e.session, e.call, &session);
          if (!call) return std::nullopt;
          impl_->on(e, *session, *call, now);
          return e.session;
        }
      },
      event);
}

}  // namespace ts2021
