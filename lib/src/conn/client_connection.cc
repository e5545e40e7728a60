// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/conn/client_connection.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "conn/channel.h"
#include "conn/outbox.h"
#include "h2/client_session.h"
#include "ts2021/entry/early_payload.h"
#include "ts2021/entry/http1.h"
#include "ts2021/entry/upgrade.h"
#include "ts2021/entry/websocket.h"
#include "ts2021/noise/handshake.h"

namespace ts2021 {
namespace {

//   http1 ──(mode http1: stays)
//   upgrade ──101──▶ response ──message 2──▶ early ──payload read, or none──▶ open ──▶ closing ──▶ closed
enum class Phase : std::uint8_t { http1, upgrade, response, early, open, closing, closed };

}  // namespace

struct ClientConnection::Impl {
  Impl(const ClientConfig& c, Env e, Now now)
      : config(c),
        env(e),
        out(e.blocks, c.limits.max_output),
        http1(std::in_place, entry::Http1Limits{c.limits.max_head}),
        early(c.max_early_payload),
        started(now.mono),
        last(now) {
    if (config.mode == ClientMode::http1) {
      phase = Phase::http1;
      ready_pending = true;
    } else {
      start_upgrade();
    }
  }

  const ClientConfig config;
  Env env;
  Phase phase = Phase::upgrade;
  bool ready_pending = false, ready_given = false, closed_told = false;
  bool sending_told = false, settings_told = false;
  conn::Outbox out;

  std::optional<entry::Http1Client> http1;
  std::int32_t http1_stream = 0;  // of the latest exchange
  bool http1_busy = false;
  std::optional<noise::Initiator> initiator;
  std::array<std::uint8_t, 16> websocket_nonce{};
  noise::ResponseReader response;
  std::array<std::uint8_t, 32> hash{};
  std::optional<entry::WebSocket> websocket;
  std::optional<conn::Channel> channel;
  std::optional<h2::ClientSession> h2;
  entry::EarlyPayloadReader early;

  Instant started;
  Now last;
  Instant closing_since{};
  Error why{};
  std::pair<std::uint64_t, std::uint64_t> records{};  // opened and sealed, once `channel` has gone

  template <class Event>
  void trace(const Event& event) const {
    if (env.tracer) env.tracer->on(event, last);
  }
  [[nodiscard]] Site site() const noexcept {
    return config.mode == ClientMode::http1 ? Site::outer : Site::noise;
  }

  // ---- ends

  void finish(Error error) {
    if (phase == Phase::closing || phase == Phase::closed) return;
    why = error;
    phase = Phase::closing;
    closing_since = last.mono;
  }

  Error abort(Error error) {
    if (phase == Phase::closed) return why;
    if (phase != Phase::closing) why = error;
    phase = Phase::closed;
    out.drop();
    if (channel) records = {channel->records_in(), channel->records_out()};
    h2.reset();
    channel.reset();
    websocket.reset();
    http1.reset();
    initiator.reset();
    return why;
  }

  // ---- the way in

  void start_upgrade() {
    std::array<std::uint8_t, noise::initiation_size> message1{};
    if (!config.machine || config.server.is_zero()) {
      abort(fail(Errc::misuse, 730));
      return;
    }
    auto begun = noise::Initiator::start(*config.machine, config.server, config.version,
                                         noise::EphemeralKey::generate(env.entropy), message1);
    if (!begun) {
      abort(begun.error());
      return;
    }
    initiator.emplace(*std::move(begun));
    const entry::UpgradeTarget target{config.host};
    bool written = false;
    if (config.mode == ClientMode::noise_websocket) {
      env.entropy.fill(websocket_nonce);
      written = entry::write_websocket_request(target, message1, websocket_nonce, out.queue);
    } else {
      written = entry::write_upgrade_request(target, message1, out.queue);
    }
    if (!written) abort(fail(Errc::out_of_memory, 731));
  }

  Result<void> on_upgrade_bytes(Bytes in) {
    if (auto fed = http1->feed(in); !fed) return abort(fed.error());
    while (auto event = http1->next_event()) {
      if (const auto* head = std::get_if<entry::Http1ResponseHead>(&*event)) {
        trace(trace::UpgradeAnswer{head->status, head->headers});
        return abort(fail(Errc::bad_upgrade, 732, static_cast<std::uint32_t>(head->status)));  // ENT-7
      }
      const auto* switched = std::get_if<entry::Http1Switched>(&*event);
      if (!switched) continue;
      trace(trace::UpgradeAnswer{101, switched->headers});
      const bool web = config.mode == ClientMode::noise_websocket;
      const auto good = web ? entry::check_websocket_answer(switched->headers, websocket_nonce)
                            : entry::check_upgrade_answer(switched->headers);
      if (!good) return abort(good.error());
      std::vector<std::uint8_t> rest = http1->take_rest();
      http1.reset();
      if (web) websocket.emplace(entry::WebSocket::Role::client, env.entropy);
      phase = Phase::response;
      return rest.empty() ? Result<void>{} : on_response_bytes(rest);
    }
    return {};
  }

  Result<void> on_response_bytes(MutableBytes in) {
    if (!websocket) return on_response_stream(in);
    const Result<void> framed = websocket->feed(in);
    // The reader stops at the end of message 2; what the same WebSocket message holds behind it are records.
    for (MutableBytes payload = websocket->next(); !payload.empty(); payload = websocket->next()) {
      std::vector<std::uint8_t> copy(payload.begin(), payload.end());
      if (phase == Phase::response) {
        if (auto fed = on_response_stream(copy); !fed) return fed;
      } else if (auto fed = on_record_stream(copy); !fed) {
        return fed;
      }
    }
    if (!framed) return abort(framed.error());
    if (websocket->peer_closed()) return abort(fail(Errc::end_of_stream, 733));
    return {};
  }

  Result<void> on_response_stream(MutableBytes in) {
    const std::size_t taken = response.feed(in);
    const auto message2 = response.next();
    if (!message2) return abort(message2.error());
    if (!*message2) return {};
    auto session = std::move(*initiator).finish(*config.machine, **message2);
    initiator.reset();
    if (!session) return abort(session.error());
    hash = session->handshake_hash;
    trace(trace::Handshake{config.mode == ClientMode::noise_websocket, config.machine->open, config.server,
                           config.version});
    channel.emplace(*std::move(session), env, websocket ? &*websocket : nullptr, out.queue);
    h2.emplace(h2::ClientLimits{}, env.slots);
    phase = Phase::early;
    pump();  // preface and SETTINGS do not wait for the server
    const MutableBytes rest = in.subspan(taken);
    return rest.empty() ? Result<void>{} : on_record_stream(rest);
  }

  Result<void> on_record_stream(MutableBytes in) {
    return on_records([&](auto&& take) { return channel->feed_stream(in, take); });
  }

  Result<void> on_record_bytes(MutableBytes in) {
    return on_records([&](auto&& take) { return channel->feed(in, take); });
  }

  template <class Feed>
  Result<void> on_records(Feed&& feed) {
    bool h2_failed = false;
    const Result<void> fed = feed([&](MutableBytes plaintext) -> Result<void> {
      Bytes rest = plaintext;
      if (phase == Phase::early) {
        auto used = early.feed(rest);
        if (!used) return used.error();
        rest = rest.subspan(*used);
        if (!early.done()) return {};
        phase = Phase::open;
        ready_pending = true;
        if (!early.present() && !early.bytes().empty()) {  // those bytes were HTTP/2's. EAR-4
          auto result = h2->feed(early.bytes(), last);
          trace_settings();
          if (!result) {
            h2_failed = true;
            return result;
          }
        }
      }
      if (rest.empty()) return {};
      auto result = h2->feed(rest, last);
      trace_settings();
      h2_failed = !result;
      return result;
    });
    if (fed) {
      if (websocket && websocket->peer_closed()) return abort(fail(Errc::end_of_stream, 734));
      return {};
    }
    if (h2_failed) {
      pump();
      finish(fed.error());
      return fed.error();
    }
    return abort(fed.error());
  }

  void trace_settings() {
    if (!env.tracer || settings_told || !h2 || !h2->settings_received()) return;
    settings_told = true;
    trace(trace::Settings{h2->settings()});
  }

  [[nodiscard]] std::optional<Instant> deadline() const noexcept {
    if (phase == Phase::closed) return std::nullopt;
    std::optional<Instant> next = out.stall_deadline(config.limits.write_stall_deadline);
    if (phase == Phase::upgrade || phase == Phase::response || phase == Phase::early)
      next = conn::earlier(next, started + config.dial_deadline);
    if (phase == Phase::closing)
      next = conn::earlier(next, closing_since + config.limits.write_stall_deadline);
    return next;
  }

  void pump() {
    out.note_backlog(false);
    if (!channel) return;
    if (h2)
      if (auto drained = h2->drain_to(channel->sink()); !drained) finish(drained.error());
    if (auto flushed = channel->flush(); !flushed) {
      abort(flushed.error());
      return;
    }
    out.note_backlog(h2->wants_output() || channel->backlog());
    if (phase == Phase::open && h2->finished()) finish(fail(Errc::going_away, 735));
  }

  // ---- events

  std::optional<ClientEvent> next_http1_event() {
    auto event = http1->next_event();
    if (!event) return std::nullopt;
    const auto stream = static_cast<StreamId>(http1_stream);
    if (const auto* head = std::get_if<entry::Http1ResponseHead>(&*event))
      return event::ResponseHead{stream, head->status, head->headers};
    if (const auto* data = std::get_if<entry::Http1Data>(&*event))
      return event::ResponseData{stream, data->bytes};
    if (std::holds_alternative<entry::Http1Switched>(*event)) {
      abort(fail(Errc::bad_upgrade, 736));
      return std::nullopt;
    }
    http1_busy = false;
    return event::ResponseEnd{stream};
  }

  std::optional<ClientEvent> next_h2_event() {
    auto event = h2->next_event();
    if (!event) return std::nullopt;
    if (const auto* head = std::get_if<h2::ClientHead>(&*event))
      return event::ResponseHead{head->stream, head->status, head->headers};
    if (const auto* data = std::get_if<h2::ClientData>(&*event))
      return event::ResponseData{data->stream, data->bytes};
    if (const auto* end = std::get_if<h2::ClientEnd>(&*event)) return event::ResponseEnd{end->stream};
    const auto& gone = *std::get_if<h2::ClientGone>(&*event);
    return event::StreamGone{gone.stream, gone.why};
  }

  std::optional<ClientEvent> next() {
    if (std::exchange(ready_pending, false)) {
      ready_given = true;
      return event::Ready{early.present() ? early.bytes() : Bytes{}};
    }
    if (http1 && (phase == Phase::http1 || (phase == Phase::closing && config.mode == ClientMode::http1)))
      if (auto event = next_http1_event()) return event;
    if (h2 && (phase == Phase::open || phase == Phase::closing))
      if (auto event = next_h2_event()) return event;
    if (phase == Phase::closed && !std::exchange(closed_told, true)) return event::Closed{why};
    return std::nullopt;
  }

  void trace_event(const ClientEvent& event) const {
    if (const auto* ready = std::get_if<event::Ready>(&event)) {
      if (!ready->early_payload.empty()) trace(trace::EarlyPayload{trace::Way::in, ready->early_payload});
    } else if (const auto* head = std::get_if<event::ResponseHead>(&event)) {
      trace(trace::Answer{trace::Way::in, site(), head->stream, head->status, {}, head->headers});
    } else if (const auto* data = std::get_if<event::ResponseData>(&event)) {
      trace(trace::Data{trace::Way::in, site(), data->stream, data->bytes});
    } else if (const auto* end = std::get_if<event::ResponseEnd>(&event)) {
      trace(trace::End{trace::Way::in, site(), end->stream});
    } else if (const auto* gone = std::get_if<event::StreamGone>(&event)) {
      trace(trace::Gone{site(), gone->stream, gone->why});
    } else if (const auto* closed = std::get_if<event::Closed>(&event)) {
      trace(trace::Closed{closed->why, records.first, records.second});
    }
  }

  Result<StreamId> send(const ClientCall& call, SharedBytes body) {
    if (!ready_given) return fail(Errc::misuse, 742);
    if (phase == Phase::http1) {
      if (http1_busy || (http1_stream > 0 && !http1->keep_alive())) return fail(Errc::misuse, 743);
      entry::Http1Request request;
      request.method = call.method;
      request.target = call.path;
      request.host = config.host;
      request.headers = call.headers;
      if (body) request.body = *body;
      if (auto sent = http1->request(request, out.queue); !sent) return sent.error();
      http1_busy = true;
      return static_cast<StreamId>(++http1_stream);
    }
    if (phase != Phase::open) return fail(Errc::misuse, 744);
    h2::ClientRequest request;
    request.method = call.method;
    request.authority = config.host;
    request.path = call.path;
    request.headers = call.headers;
    return h2->request(request, std::move(body));
  }
};

ClientConnection::ClientConnection(const ClientConfig& config, Env env, Now now)
    : impl_(std::make_unique<Impl>(config, env, now)) {
  impl_->trace(trace::Opened{});
}
ClientConnection::~ClientConnection() = default;
ClientConnection::ClientConnection(ClientConnection&&) noexcept = default;

Result<void> ClientConnection::receive(MutableBytes in, Now now) {
  Impl& c = *impl_;
  c.last = now;
  switch (c.phase) {
    case Phase::http1:
      if (auto fed = c.http1->feed(in); !fed) return c.abort(fed.error());
      return {};
    case Phase::upgrade:
      return c.on_upgrade_bytes(in);
    case Phase::response:
      return c.on_response_bytes(in);
    case Phase::early:
    case Phase::open:
      return c.on_record_bytes(in);
    case Phase::closing:
    case Phase::closed:
      return {};
  }
  return {};
}

void ClientConnection::receive_end(Now now) {
  Impl& c = *impl_;
  c.last = now;
  switch (c.phase) {
    case Phase::http1:
      if (auto ended = c.http1->feed_end(); !ended)
        c.abort(ended.error());
      else
        c.finish(fail(Errc::end_of_stream, 737));
      return;
    case Phase::upgrade:
    case Phase::response:
      c.abort(fail(Errc::end_of_stream, 738));
      return;  // row 28: mostly a wrong server key
    case Phase::early:
    case Phase::open:
      c.abort(c.channel->mid_record() ? fail(Errc::truncated, 739) : fail(Errc::end_of_stream, 740));
      return;
    case Phase::closing:
    case Phase::closed:
      c.abort(c.why);
      return;
  }
}

void ClientConnection::handle_timeout(Now now) {
  impl_->last = now;
  if (const auto due = impl_->deadline(); due && *due <= now.mono) impl_->abort(fail(Errc::timeout, 741));
}

std::optional<ClientEvent> ClientConnection::next_event() {
  auto event = impl_->next();
  if (event && impl_->env.tracer) impl_->trace_event(*event);
  return event;
}

Result<StreamId> ClientConnection::request(const ClientCall& call, SharedBytes body) {
  const auto sent = impl_->send(call, body);
  if (sent)
    impl_->trace(trace::Request{trace::Way::out,
                                impl_->site(),
                                *sent,
                                call.method,
                                call.path,
                                {},
                                call.headers,
                                body ? Bytes(*body) : Bytes()});
  return sent;
}

void ClientConnection::release(StreamId stream, std::size_t bytes) {
  if (impl_->h2) impl_->h2->release(stream, bytes);
}

void ClientConnection::cancel(StreamId stream) {
  if (impl_->h2) impl_->h2->cancel(stream);
}

void ClientConnection::close(Error why, Now now) {
  impl_->last = now;
  impl_->pump();
  impl_->finish(why);
}

std::size_t ClientConnection::output(std::span<Bytes> pieces, Now now) {
  Impl& c = *impl_;
  c.last = now;
  if (c.phase == Phase::closed) return 0;
  c.pump();
  const std::size_t count = c.out.offer(pieces, now.mono);
  if (count == 0 && !c.out.starved() && c.phase == Phase::closing) c.abort(c.why);
  return count;
}

void ClientConnection::output_sent(std::size_t n, Now now) {
  Impl& c = *impl_;
  c.last = now;
  if (n > 0) c.out.sent(n, now.mono);
  if (c.phase == Phase::upgrade && c.out.queue.empty() && !std::exchange(c.sending_told, true))
    c.trace(trace::UpgradeSent{});
}

void ClientConnection::output_failed(Now now) {
  impl_->last = now;
  impl_->abort(fail(Errc::end_of_stream, 745));
}

bool ClientConnection::wants_input() const noexcept {
  return impl_->phase != Phase::closed && impl_->out.has_room();
}

std::optional<Instant> ClientConnection::next_timeout() const noexcept {
  return conn::earlier(impl_->deadline(), impl_->out.retry(impl_->last.mono));
}

std::string_view ClientConnection::refusal() const noexcept { return impl_->response.untrusted_text(); }

Bytes ClientConnection::handshake_hash() const noexcept { return impl_->hash; }

}  // namespace ts2021
