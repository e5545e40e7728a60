// SPDX-License-Identifier: BSD-3-Clause
// What a handler gets: the request, who asks, and ways to answer, now or later.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "service/box_cache.h"
#include "service/key_budget.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/base/time.h"
#include "ts2021/conn/server_connection.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/key/key.h"
#include "ts2021/msg/capability.h"
#include "ts2021/msg/codec.h"
#include "ts2021/service/control_service.h"

namespace ts2021::service {

struct Exchange;
struct OwnCall;  // own_calls.h

// What happens with the coordinator's answer to a question: made by Exchange::ask().
struct Continuation {
  void (*run)(Exchange&, const AnswerValue&, const void* kept) = nullptr;
  std::shared_ptr<const void> kept;  // what the handler wants to have again, mostly the decoded request
};

// One request that is answered later: by the coordinator, or by the program.
struct OpenCall {
  StreamId stream;
  bool streaming = false;  // the head of a map answer has gone out
  bool in_flight = false;  // a frame has not left the connection yet
  // The request keeps its share of the connection's window until the coordinator has dealt with it: this
  // bounds what one connection can have waiting there.
  bool released = false;
  bool proven = false;                 // see Exchange
  std::shared_ptr<const NaclBox> box;  // TS2019: the answer leaves in it
  Continuation then{};
  std::shared_ptr<OwnCall> own{};  // non-null: the program answers
};

struct Session {
  ServerConnection* connection = nullptr;
  MachinePublic machine;  // of the handshake, proven from the first request inside Noise on; or of a box
  ProtocolVersion version{};
  bool opened = false;         // the coordinator knows this session
  ChallengePrivate challenge;  // its public half went out in the early payload; zero: none did
  std::vector<OpenCall> calls;
  KeyBudget box_keys;
  Tracer* tracer = nullptr;
  Now last;  // of the latest event

  void trace_unboxed(const trace::Unboxed& event) const {
    if (tracer) tracer->on(event, last);
  }

  [[nodiscard]] OpenCall* find(StreamId stream) noexcept {
    for (OpenCall& call : calls)
      if (call.stream == stream) return &call;
    return nullptr;
  }
};

// On HTTP/2 and on the outer site alike a stream is used for one request.
[[nodiscard]] inline CallId call_of(StreamId stream) noexcept {
  return static_cast<CallId>(static_cast<std::uint64_t>(stream));
}
[[nodiscard]] inline StreamId stream_of(CallId call) noexcept {
  return static_cast<StreamId>(static_cast<std::uint64_t>(call));
}

// An answer as one box (BOX-5).
[[nodiscard]] SharedBytes seal_answer(const NaclBox& box, Bytes json, Entropy& entropy);

// One request until it is answered. A handler does exactly one of: reply, submit, ask; what it has not
// answered when it returns, it has handed on.
struct Exchange {
  const ServiceConfig& config;
  SessionId id;
  Session& session;
  StreamId stream;
  bool proven;                         // session.machine sent this
  std::shared_ptr<const NaclBox> box;  // non-null: TS2019
  std::vector<CoordInput>& inputs;
  Entropy& entropy;
  Now now;

  // For whom an answer is written. Outside Noise it is not known, and nobody minds members that it does not
  // know.
  [[nodiscard]] Capability capability() const noexcept {
    return proven && !box ? static_cast<Capability>(session.version) : any_capability;
  }

  void reply(int status, std::string_view content_type, std::string_view body,
             std::span<const Header> more = {}) const {
    const ResponseHead head{status, content_type, more};
    (void)session.connection->respond(stream, head, share(body));  // gone streams need no answer
  }
  // A short text for people; errors always end so. In the clear also where bodies travel in boxes.
  void reply_text(int status, std::string_view text) const {
    constexpr Header more[] = {{"X-Content-Type-Options", "nosniff"}};
    reply(status, "text/plain; charset=utf-8", std::string(text) + "\n", more);
  }
  template <class Message>
  void reply_json(const Message& message, int status = 200) const {
    std::string body;
    encode(message, capability(), body);
    if (!box) return reply(status, "application/json", body);
    session.trace_unboxed({trace::Way::out, stream, session.machine, false, as_bytes(body)});
    (void)session.connection->respond(stream, {status, {}, {}}, seal_answer(*box, as_bytes(body), entropy));
  }

  // Hands the request to the coordinator; its answer comes as an event.
  void submit(CoordInput input) const {
    keep_open();
    inputs.push_back(std::move(input));
  }
  // Asks the coordinator; `Then` goes on with its answer. The signature of `Then` says which answer is
  // expected: void(Exchange&, const answer::X&, const Kept&), or without the last. A refusal is told as it
  // is, and `Then` never runs.
  template <auto Then, class Kept>
  void ask(Question question, std::shared_ptr<const Kept> kept) const {
    ask_erased(std::move(question), {&resume<Then, Kept>, std::move(kept)});
  }
  template <auto Then>
  void ask(Question question) const {
    ask_erased(std::move(question), {&resume<Then>, nullptr});
  }
  // The call stays open when the handler returns.
  OpenCall& keep_open() const {
    if (proven && !session.opened) {  // HSK-10: the first request inside Noise proves the machine
      session.opened = true;
      inputs.push_back(coord_input::Opened{id, session.machine, static_cast<Capability>(session.version)});
    }
    if (OpenCall* const open = session.find(stream)) return *open;
    return session.calls.emplace_back(OpenCall{.stream = stream, .proven = proven, .box = box});
  }

 private:
  template <class Answer, class Kept>
  static Answer answer_of(void (*)(Exchange&, const Answer&, const Kept&));
  template <class Answer>
  static Answer answer_of(void (*)(Exchange&, const Answer&));

  template <auto Then, class... Kept>
  static void resume(Exchange& exchange, const AnswerValue& value, const void* kept) {
    using Answer = decltype(answer_of(Then));
    const auto* const answer = std::get_if<Answer>(&value);
    if (!answer) return exchange.reply_text(500, "the coordinator answered something else");
    if constexpr (sizeof...(Kept) == 0)
      Then(exchange, *answer);
    else
      Then(exchange, *answer, *static_cast<const Kept*>(kept)...);
  }

  void ask_erased(Question question, Continuation then) const {
    keep_open().then = std::move(then);
    inputs.push_back(coord_input::Ask{
        id, call_of(stream), proven ? std::optional(session.machine) : std::nullopt, std::move(question)});
  }
};

// An exchange at its beginning.
struct Call : Exchange {
  const Request& request;  // views die when the handler returns, unless the call stays open
  BoxCache& boxes;

  [[nodiscard]] CallId call_id() const noexcept { return call_of(stream); }
};

}  // namespace ts2021::service
