// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/service/control_service.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <utility>

#include "service/call.h"
#include "service/endpoints.h"
#include "service/own_calls.h"
#include "ts2021/msg/early_noise.h"
#include "ts2021/msg/register.h"

namespace ts2021 {
namespace {

using service::call_of;
using service::Exchange;
using service::OpenCall;
using service::Session;
using service::stream_of;

}  // namespace

struct ControlService::Impl {
  Impl(const ServiceConfig& c, Entropy& e) : config(c), entropy(e) {}

  const ServiceConfig config;
  Entropy& entropy;
  std::unordered_map<SessionId, Session> sessions;
  service::BoxCache boxes;
  service::OwnCalls own;
  std::vector<CoordInput> inputs;
  std::size_t next_input = 0;

  void on(SessionId id, Session& session, const event::PeerKnown& known, Now now) {
    // What a box said before the upgrade, perhaps a replayed one, holds for nobody inside Noise. HSK-10
    if (std::exchange(session.opened, false)) inputs.push_back(coord_input::Gone{id});
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
    service::Call call{
        {config, id, session, request.stream, request.site == Site::noise, nullptr, inputs, entropy, now},
        request,
        boxes};
    if (row < rows.size())
      rows[row].call(call);
    else if (row - rows.size() < config.own.size())
      own.begin(call, row - rows.size());
    if (!session.find(request.stream)) session.connection->release(request.stream);
  }

  // The window of its request opens again: see OpenCall.
  static void release(Session& session, OpenCall& call) {
    if (!std::exchange(call.released, true)) session.connection->release(call.stream);
  }

  void on(SessionId id, Session& session, const event::Writable& writable, Now) {
    OpenCall* const call = session.find(writable.stream);
    if (!call || !std::exchange(call->in_flight, false)) return;
    if (call->own)
      own.writable(id, *call);
    else
      inputs.push_back(coord_input::Taken{id, call_of(call->stream)});
  }

  void on(SessionId id, Session& session, const event::StreamGone& gone, Now) {
    const OpenCall* const call = session.find(gone.stream);
    if (!call) return;
    own.forget(id, *call);
    finish(session, gone.stream);
    inputs.push_back(coord_input::Cancelled{id, call_of(gone.stream)});
  }

  // HSK-10: a request inside Noise is proof of its machine.
  void on(SessionId id, Session& session, const event::Unrouted& unrouted, Now) {
    own.unrouted(
        {id, unrouted.site == Site::noise ? std::optional(session.machine) : std::nullopt, unrouted});
  }

  void on(SessionId, Session&, const event::Closed&, Now) {}

  // Null when the call is over for us: cancelled, or its connection has gone.
  OpenCall* find(SessionId id, CallId call, Session** out) {
    const auto found = sessions.find(id);
    if (found == sessions.end()) return nullptr;
    *out = &found->second;
    return found->second.find(stream_of(call));
  }
  OpenCall* find_own(SessionId id, CallId call, Session** out) {
    OpenCall* const open = find(id, call, out);
    return open && open->own && open->own->taken ? open : nullptr;
  }

  void finish(Session& session, StreamId stream) {
    OpenCall* const call = session.find(stream);
    if (!call) return;
    release(session, *call);
    session.calls.erase(session.calls.begin() + (call - session.calls.data()));
  }

  void answer(Session& session, StreamId stream, const ResponseHead& head, std::string_view body) {
    (void)session.connection->respond(stream, head, share(body));
    finish(session, stream);
  }

  Exchange exchange_of(SessionId id, Session& session, const OpenCall& call, Now now) {
    return {config, id, session, call.stream, call.proven, call.box, inputs, entropy, now};
  }

  void on(const coord_event::RegisterReply& reply, Session& session, OpenCall& call, Now now) {
    exchange_of(reply.session, session, call, now).reply_json(*reply.reply);
    finish(session, call.stream);
  }

  void on(const coord_event::MapFrame& frame, Session& session, OpenCall& call, Now now) {
    if (!std::exchange(call.streaming, true)) (void)session.connection->start_stream(call.stream, {});
    release(session, call);
    const std::vector<SharedBytes>* pieces = frame.pieces.get();
    std::vector<SharedBytes> boxed;
    if (call.box) {
      boxed.push_back(service::seal_map_message(*call.box, *frame.pieces, entropy));
      for (const SharedBytes& piece : *frame.pieces)
        session.trace_unboxed({trace::Way::out, call.stream, session.machine, true, *piece});
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

  void on(const coord_event::Answer& given, Session& session, OpenCall& call, Now now) {
    const StreamId stream = call.stream;
    const service::Continuation then = std::exchange(call.then, {});
    Exchange exchange = exchange_of(given.session, session, call, now);
    if (then.run) then.run(exchange, given.value, then.kept.get());
    // Unless it went on: to another question, or to the program.
    if (const OpenCall* open = session.find(stream); open && !open->then.run && !open->own)
      finish(session, stream);
  }

  void on(const coord_event::Refused& refused, Session& session, OpenCall& call, Now) {
    std::vector<Header> more{{"X-Content-Type-Options", "nosniff"}};
    const std::string seconds = refused.retry_after ? std::to_string(refused.retry_after->count()) : "";
    if (refused.retry_after) more.push_back({"Retry-After", seconds});
    for (const auto& [name, value] : refused.headers) more.push_back({name, value});
    answer(session, call.stream, {refused.status, "text/plain; charset=utf-8", more},
           refused.body.empty() ? std::string(refused.text) + "\n" : refused.body);
  }
};

ControlService::ControlService(const ServiceConfig& config, Entropy& entropy)
    : impl_(std::make_unique<Impl>(config, entropy)) {}
ControlService::~ControlService() = default;

void ControlService::attach(SessionId session, ServerConnection& connection, Tracer* tracer) {
  Session& made = impl_->sessions[session];
  made.connection = &connection;
  made.tracer = tracer;
}

void ControlService::detach(SessionId session) {
  const auto found = impl_->sessions.find(session);
  if (found == impl_->sessions.end()) return;
  for (const OpenCall& call : found->second.calls) impl_->own.forget(session, call);
  if (found->second.opened) impl_->inputs.push_back(coord_input::Gone{session});
  impl_->sessions.erase(found);
}

void ControlService::handle(SessionId session, const ServerEvent& event, Now now) {
  const auto found = impl_->sessions.find(session);
  if (found == impl_->sessions.end()) return;
  found->second.last = now;
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
          session->last = now;
          impl_->on(e, *session, *call, now);
          return e.session;
        }
      },
      event);
}

std::optional<OwnEvent> ControlService::next_own_event() { return impl_->own.next_event(); }

Result<void> ControlService::respond(SessionId id, CallId call, const ResponseHead& head, SharedBytes body) {
  Session* session = nullptr;
  OpenCall* const open = impl_->find_own(id, call, &session);
  if (!open || open->streaming) return fail(Errc::misuse, 1100);
  if (open->box && head.status == 200) {
    const Bytes plain = body ? Bytes(*body) : Bytes();
    session->trace_unboxed({trace::Way::out, open->stream, session->machine, false, plain});
    body = service::seal_answer(*open->box, plain, impl_->entropy);
  }
  auto done = session->connection->respond(open->stream, head, std::move(body));
  if (done) impl_->finish(*session, open->stream);
  return done;
}

Result<void> ControlService::start_stream(SessionId id, CallId call, const ResponseHead& head) {
  Session* session = nullptr;
  OpenCall* const open = impl_->find_own(id, call, &session);
  if (!open || open->streaming || open->box) return fail(Errc::misuse, 1101);
  auto done = session->connection->start_stream(open->stream, head);
  if (!done) return done;
  open->streaming = true;
  impl_->release(*session, *open);
  return {};
}

Result<Pushed> ControlService::push(SessionId id, CallId call, std::span<const SharedBytes> pieces, Now now) {
  Session* session = nullptr;
  OpenCall* const open = impl_->find_own(id, call, &session);
  if (!open || !open->streaming) return fail(Errc::misuse, 1102);
  auto pushed = session->connection->push(open->stream, pieces, now);
  if (pushed && *pushed == Pushed::accepted) open->in_flight = true;
  return pushed;
}

Result<void> ControlService::end_stream(SessionId id, CallId call) {
  Session* session = nullptr;
  OpenCall* const open = impl_->find_own(id, call, &session);
  if (!open || !open->streaming) return fail(Errc::misuse, 1103);
  auto done = session->connection->end_stream(open->stream);
  impl_->finish(*session, open->stream);
  return done;
}

}  // namespace ts2021
