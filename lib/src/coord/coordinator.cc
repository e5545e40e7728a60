// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/coord/coordinator.h"

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "coord/answering.h"
#include "coord/commands.h"
#include "coord/deadlines.h"
#include "coord/engine.h"
#include "coord/fan_out.h"
#include "coord/lock_desk.h"
#include "coord/logins.h"
#include "coord/map_update.h"
#include "coord/node_orders.h"
#include "coord/pace.h"
#include "coord/planted.h"
#include "coord/registrar.h"
#include "coord/tailnet.h"
#include "coord/test_orders.h"

namespace ts2021 {

using namespace coord;

namespace {

// A wall clock may jump, so that times of day are looked at this often at least.
constexpr std::chrono::seconds longest_look_away{60};

}  // namespace

// Inputs become work, work becomes events. What waits for the store waits in the engine; what comes before
// the tailnet is known waits in `early_`.
struct Coordinator::Impl final : Worker {
  Impl(Store& store, std::shared_ptr<const Policy> policy, Entropy& entropy, CoordinatorConfig from)
      : store_(store),
        entropy_(entropy),
        config_(std::move(from)),
        engine_(store, tailnet_, config_, *this),
        logins_(entropy, config_),
        registrar_(tailnet_, entropy, config_, engine_.ids(), logins_),
        fan_out_(tailnet_, entropy, config_, std::move(policy)),
        lock_desk_(tailnet_, config_),
        callbacks_(entropy, config_),
        test_logins_(entropy),
        answering_(tailnet_, config_, lock_desk_, fan_out_, callbacks_, logins_, registrar_, test_logins_,
                   entropy),
        commands_(tailnet_, config_, fan_out_, callbacks_),
        node_orders_(tailnet_, config_, engine_.ids(), logins_, registrar_, fan_out_),
        test_registrar_(tailnet_, config_, registrar_, test_logins_),
        test_orders_(tailnet_, entropy, config_, fan_out_, engine_.ids(), test_registrar_, test_logins_),
        pace_(config_.register_interval, config_.test_mode ? 0 : config_.register_burst) {}  // TEST-6

  // Every input is between these two.
  void enter(Now now) {
    if (now.mono < now_.mono) return;  // as if no time had passed
    now_ = now;
    for (const NodeId node : tailnet_.expire(now.wall)) {
      note(NoticeKind::expired, *tailnet_.find(node)->record, "the node key has expired");
      wake(false);
    }
    while (const auto node = grace_.pop(now.mono)) add_inner(Work::Kind::offline, *node);
    while (const auto node = reap_.pop(now.mono)) add_inner(Work::Kind::reap, *node);
    engine_.advance(now);
    std::vector<CoordEvent> late;
    answering_.advance(now, late);
    tell(std::move(late), false);
    tell(logins_.advance(now.mono), false);
  }
  void leave() { fan_out_.advance(now_); }

  // --- inputs ---

  void on(const coord_input::Opened& input) { sessions_.insert_or_assign(input.session, input.machine); }

  void on(const coord_input::Gone& input) {
    drop_asked(input.session, [](CallId) { return true; });
    answering_.forget(input.session);
    logins_.release(input.session);
    test_logins_.release(input.session);
    std::erase_if(events_, [&](const CoordEvent& event) { return belongs_to(event, input.session); });
    const auto session = sessions_.find(input.session);
    if (session == sessions_.end()) return;
    const MachinePublic machine = session->second;
    sessions_.erase(session);
    engine_.cancel(machine, [&](const Work& work) { return work.from.session == input.session; });
    fan_out_.close_session(input.session, [this](NodeId node) { leave_grace(node); });
  }

  void on(const coord_input::Cancelled& input) {
    const PollKey key{input.session, input.call};
    drop_asked(input.session, [&](CallId call) { return call == input.call; });
    answering_.forget(key);
    logins_.release(key);
    test_logins_.release(key);
    std::erase_if(events_, [key](const CoordEvent& event) { return belongs_to(event, key); });
    const auto session = sessions_.find(input.session);
    if (session == sessions_.end()) return;
    // API-54: a request that was reset before its turn must leave no trace.
    if (!planted(Planted::applies_cancelled))
      engine_.cancel(session->second, [&](const Work& work) { return work.from == key; });
    if (const auto node = fan_out_.close(key)) leave_grace(*node);
  }

  void on(const coord_input::Register& input) {
    if (!input.request) return;
    Work work;
    work.kind = Work::Kind::enroll;
    work.from = {input.session, input.call};
    work.register_request = input.request;
    if (const auto session = sessions_.find(input.session); session != sessions_.end())
      if (const auto wait = pace_.take(session->second, now_.mono); wait > wait.zero()) work.wait = wait;
    add_request(std::move(work));
  }

  void on(const coord_input::Map& input) {
    if (!input.request) return;
    Work work;
    work.kind = Work::Kind::map;
    work.from = {input.session, input.call};
    work.map_request = input.request;
    add_request(std::move(work));
  }

  void on(const coord_input::Taken& input) { fan_out_.taken({input.session, input.call}); }

  // Most questions need no write, and nobody's turn.
  void on(const coord_input::Ask& input) {
    if (!engine_.ready()) {
      if (early_.size() < Lanes::max_waiting) return early_.push_back(input);
      events_.push_back(
          coord_event::Refused{input.session, input.call, 503, "too many requests at once", retry_later()});
      return;
    }
    Plan plan = answering_.plan(input, now_);
    if (plan.writes.empty() && !plan.needs_ids) {
      tell(plan, false);
      return decide_completed();
    }
    tailnet_.release(plan.reserved);
    Work work;
    work.kind = Work::Kind::ask;
    work.from = {input.session, input.call};
    work.ask = std::make_shared<const coord_input::Ask>(input);
    const MachinePublic lane = answering_.lane(input);
    asked_[work.from] = lane;
    engine_.add(lane, std::move(work));
  }

  void on(const CoordCommand& command) {
    if (!engine_.ready()) return early_.push_back(command);
    Work work;
    work.kind = Work::Kind::order;
    work.command = std::make_shared<const CoordCommand>(command);
    const auto lane = test_orders_.lane(command.order);
    engine_.add(lane ? *lane : node_orders_.lane(command.order), std::move(work));
  }

  void on(const StoreEvent& event) {
    if (const auto* changed = std::get_if<Changed>(&event)) return on_changed(*changed);
    if (const auto* rejected = std::get_if<Rejected>(&event))
      return engine_.on_rejected(rejected->ticket, rejected->why);
    const auto* committed = std::get_if<Committed>(&event);
    if (!committed) return engine_.on_caught_up();
    if (!engine_.on_committed(committed->ticket)) return;
    for (const auto& one : std::exchange(early_, {}))
      std::visit([this](const auto& input) { on(input); }, one);
  }

  void on_changed(const Changed& changed) {
    const NodeId id{changed.id};
    if (changed.kind == RecordKind::lock) {
      if (lock_desk_.apply(changed)) fan_out_.set_lock(lock_desk_.info());
      return;
    }
    if (changed.kind != RecordKind::node) return tailnet_.apply(changed, now_.wall);
    if (!changed.record) {
      const NodeState* last = tailnet_.find(id);
      if (last) fan_out_.end_polls_of(id, *last);
      grace_.clear(id);
      reap_.clear(id);
      return tailnet_.apply(changed, now_.wall);
    }
    tailnet_.apply(changed, now_.wall);
    const NodeState* state = tailnet_.find(id);
    if (state && state->record->ephemeral && !state->online && !fan_out_.is_present(id) && !reap_.has(id))
      reap_.set(id, now_.mono + config_.ephemeral_timeout);  // API-55
  }

  void add_request(Work work) {
    const auto session = sessions_.find(work.from.session);
    if (session == sessions_.end()) return;
    const MachinePublic machine = session->second;
    const PollKey from = work.from;
    if (!engine_.add_request(machine, std::move(work)))
      tell(refusal(from, machine, {503, "too many requests at once", retry_later()}), false);
  }

  void add_inner(Work::Kind kind, NodeId node) {
    const NodeState* state = tailnet_.find(node);
    if (!state) return;
    Work work;
    work.kind = kind;
    work.node = node;
    engine_.add(state->record->machine, std::move(work));
  }

  // Questions that wait for the store, and in whose lane.
  template <class Which>
  void drop_asked(SessionId session, Which which) {
    for (auto at = asked_.lower_bound({session, CallId{}});
         at != asked_.end() && at->first.session == session;) {
      const PollKey key = at->first;
      const MachinePublic lane = (at++)->second;
      if (!which(key.call)) continue;
      asked_.erase(key);
      engine_.cancel(lane, [&](const Work& work) { return work.from == key; });
    }
  }

  // Those who were sent away together don't come back together (API-97).
  [[nodiscard]] std::chrono::seconds retry_later() {
    std::array<std::uint8_t, 1> random{};
    entropy_.fill(random);
    return retry_soon + std::chrono::seconds{random[0] % 5};
  }

  // --- work ---

  Plan plan(Work& work, const MachinePublic& machine) override {
    switch (work.kind) {
      case Work::Kind::enroll:
        return plan_register(work, machine);
      case Work::Kind::map:
        return plan_map(work, machine);
      case Work::Kind::ask:
        return answering_.plan(*work.ask, now_);
      case Work::Kind::order:
        if (auto plan = test_orders_.plan(*work.command, now_)) return std::move(*plan);
        if (auto plan = node_orders_.plan(*work.command, now_)) return std::move(*plan);
        return commands_.plan(*work.command, now_);
      case Work::Kind::offline:
        return plan_offline(work);
      case Work::Kind::reap:
        return plan_reap(work);
    }
    return {};
  }

  void finish(Work& work, const MachinePublic& machine) override {
    if (wakes(work)) wake(work.kind == Work::Kind::order);
    tell(work.plan, work.cancelled);
    if (work.kind == Work::Kind::map) finish_map(work, machine);
    if (work.kind == Work::Kind::ask) asked_.erase(work.from);
    if (work.kind == Work::Kind::offline) finish_offline(work);
    if (work.kind == Work::Kind::order) decide_completed();
  }

  // TEST-7: followups of logins that an order or a person has completed.
  void decide_completed() {
    for (auto& followup : test_logins_.take_completed()) {
      Work work;
      work.kind = Work::Kind::enroll;
      work.from = followup.from;
      work.register_request = std::move(followup.request);
      engine_.add(followup.machine, std::move(work));
    }
  }

  void wake(bool repeat) {
    if (config_.test_mode) fan_out_.wake(repeat);
  }

  // TEST-31: whether all polls of test mode get a frame, changed or not.
  static bool wakes(const Work& work) {
    switch (work.kind) {
      case Work::Kind::map: {
        const MapKind kind = kind_of(*work.map_request);
        return work.node != NodeId{} && kind != MapKind::silent_poll && kind != MapKind::silent_fetch;
      }
      case Work::Kind::order:
        return work.command->wake &&
               std::any_of(work.plan.events.begin(), work.plan.events.end(), [](const CoordEvent& event) {
                 const auto* done = std::get_if<coord_event::CommandDone>(&event);
                 return done && done->status == 200;
               });
      case Work::Kind::enroll:
      case Work::Kind::ask:
      case Work::Kind::reap:
        return !work.plan.writes.empty();
      case Work::Kind::offline:
        break;
    }
    return false;
  }

  void fail(Work& work, const MachinePublic& machine) override {
    const Refusal busy{503, "the server can not store this now", retry_later()};
    switch (work.kind) {
      case Work::Kind::offline:
        return finish_offline(work);
      case Work::Kind::reap:
        if (tailnet_.find(work.node)) reap_.set(work.node, now_.mono + config_.ephemeral_timeout);
        return;
      case Work::Kind::order:
        events_.push_back(coord_event::CommandDone{work.command->id, busy.status, busy.text, {}});
        return;
      case Work::Kind::ask:
        asked_.erase(work.from);
        [[fallthrough]];
      case Work::Kind::enroll:
      case Work::Kind::map:
        return tell(refusal(work.from, machine, busy), work.cancelled);
    }
  }

  Plan plan_register(const Work& work, const MachinePublic& machine) {
    const RegisterRequest& request = *work.register_request;
    const Registrar::Call call{work.from,
                               request,
                               machine,
                               now_,
                               fan_out_.policy(),
                               work.wait,
                               lock_desk_.accepted(request.node_key, request.node_key_signature.bytes),
                               lock_desk_.to_rotate(request, machine)};
    return config_.test_mode ? test_registrar_.plan(call) : registrar_.plan(call);
  }

  Plan plan_map(Work& work, const MachinePublic& machine) {
    Plan plan;
    const MapRequest& request = *work.map_request;
    work.node = {};
    if (request.version == Capability{}) {
      plan.events = refusal(work.from, machine, {400, "the request has no version", {}});
      return plan;
    }
    const NodeState* state = tailnet_.find(request.node_key);
    if (!state || state->record->machine != machine) {  // API-56
      plan.events = refusal(work.from, machine, unknown_node());
      return plan;
    }
    work.node = state->record->id;
    auto update =
        map_update(registrar_, fan_out_.policy(), tailnet_.subject(*state->record), request, now_.wall);
    plan.reserved = update.reserved;
    if (planted(Planted::answers_early)) finish(work, machine);
    if (update.record)
      plan.writes.push_back(write_of(std::move(*update.record), state->revision, update.durable));
    return plan;
  }

  Refusal unknown_node() const { return {config_.test_mode ? 400 : 404, "node not found", {}}; }  // TEST-16

  void finish_map(const Work& work, const MachinePublic& machine) {
    if (work.cancelled || work.node == NodeId{}) return;
    const NodeState* state = tailnet_.find(work.node);
    if (!state) return tell(refusal(work.from, machine, unknown_node()), false);
    const MapKind kind = kind_of(*work.map_request);
    if (kind == MapKind::update) {  // MAP-37
      fan_out_.lock_head_reported(work.node, work.map_request->tka_head);
      events_.push_back(coord_event::MapEnd{work.from.session, work.from.call});
      return;
    }
    fan_out_.open(work.from, work.node, *work.map_request);
    if (kind != MapKind::poll) return;
    if (!planted(Planted::flips_presence)) grace_.clear(work.node);
    reap_.clear(work.node);
    if (state->online) return;
    tailnet_.set_online(work.node, true);  // MAP-38
    note(NoticeKind::online, *state->record, "online");
  }

  Plan plan_offline(const Work& work) {
    Plan plan;
    const NodeState* state = tailnet_.find(work.node);
    if (!state || !state->online || fan_out_.is_present(work.node)) return plan;
    NodeRecord record = *state->record;
    record.last_seen = now_.wall;
    plan.writes.push_back(write_of(std::move(record), state->revision, false));
    return plan;
  }

  void finish_offline(const Work& work) {
    const NodeState* state = tailnet_.find(work.node);
    if (!state || !state->online || fan_out_.is_present(work.node)) return;
    tailnet_.set_online(work.node, false);
    note(NoticeKind::offline, *state->record, "offline");
    if (state->record->ephemeral) reap_.set(work.node, now_.mono + config_.ephemeral_timeout);
  }

  Plan plan_reap(const Work& work) {
    Plan plan;
    const NodeState* state = tailnet_.find(work.node);
    if (!state || state->online || !state->record->ephemeral || fan_out_.is_present(work.node)) return plan;
    plan.writes.push_back({RecordKind::node, id(*state->holder), state->revision, nullptr});
    plan.events.push_back(notice(NoticeKind::removed, *state->record, "ephemeral and away for too long"));
    return plan;
  }

  // --- news ---

  // The node's map stream is gone; peers hear of it when no other comes soon (MAP-38).
  void leave_grace(NodeId node) {
    if (tailnet_.find(node)) grace_.set(node, now_.mono + config_.offline_grace);
  }

  static std::vector<CoordEvent> refusal(PollKey from, const MachinePublic& machine, const Refusal& refusal) {
    return {notice(NoticeKind::refused, machine, refusal.text),
            coord_event::Refused{from.session, from.call, refusal.status, refusal.text, refusal.retry_after}};
  }

  // Of a call that was cancelled meanwhile only what does not belong to it.
  void tell(std::vector<CoordEvent> events, bool cancelled) {
    for (auto& event : events) {
      const bool of_call = std::visit(
          [](const auto& of) {
            return requires { of.call; };
          },
          event);
      if (!cancelled || !of_call) events_.push_back(std::move(event));
    }
  }
  void tell(Plan& plan, bool cancelled) {
    tell(std::exchange(plan.events, {}), cancelled);
    if (plan.login) tell(logins_.end(plan.login->id, plan.login->reply), false);
  }
  void note(NoticeKind kind, const NodeRecord& record, std::string_view text) {
    events_.push_back(notice(kind, record, text));
  }

  std::optional<Instant> next_timeout() const {
    std::optional<Instant> next = fan_out_.next_timeout();
    const auto earlier = [&next](std::optional<Instant> at) {
      if (at && (!next || *at < *next)) next = at;
    };
    earlier(grace_.next());
    earlier(reap_.next());
    earlier(engine_.next_timeout());
    earlier(answering_.next_timeout());
    earlier(logins_.next_timeout());
    if (const auto expiry = tailnet_.next_expiry())
      // In the clock's own unit: centuries do not fit into nanoseconds.
      earlier(now_.mono + std::clamp<WallTime::duration>(*expiry - now_.wall, {}, longest_look_away));
    return next;
  }

  Store& store_;
  Entropy& entropy_;
  CoordinatorConfig config_;
  Now now_{};
  Tailnet tailnet_;
  Engine engine_;
  Logins logins_;
  Registrar registrar_;
  FanOut fan_out_;
  LockDesk lock_desk_;
  Callbacks callbacks_;
  TestLogins test_logins_;
  Answering answering_;
  Commands commands_;
  NodeOrders node_orders_;
  TestRegistrar test_registrar_;
  TestOrders test_orders_;
  Pace pace_;
  std::unordered_map<SessionId, MachinePublic> sessions_;
  std::map<PollKey, MachinePublic> asked_;
  std::vector<std::variant<coord_input::Ask, CoordCommand>> early_;
  Deadlines grace_, reap_;
  std::deque<CoordEvent> events_;
};

Coordinator::Coordinator(Store& store, std::shared_ptr<const Policy> policy, Entropy& entropy,
                         CoordinatorConfig config)
    : impl_(std::make_unique<Impl>(store, std::move(policy), entropy, std::move(config))) {}
Coordinator::~Coordinator() = default;

void Coordinator::start(Now now) {
  impl_->enter(now);
  impl_->store_.watch(Revision{});
}

// Every way in: time passes, the input is taken, rounds start.
#define TS_INPUT(type)                                   \
  void Coordinator::handle(const type& input, Now now) { \
    impl_->enter(now);                                   \
    impl_->on(input);                                    \
    impl_->leave();                                      \
  }
TS_INPUT(coord_input::Opened)
TS_INPUT(coord_input::Gone)
TS_INPUT(coord_input::Register)
TS_INPUT(coord_input::Map)
TS_INPUT(coord_input::Ask)
TS_INPUT(coord_input::Cancelled)
TS_INPUT(coord_input::Taken)
TS_INPUT(CoordCommand)
#undef TS_INPUT

void Coordinator::handle(const CoordInput& input, Now now) {
  std::visit([&](const auto& one) { handle(one, now); }, input);
}
void Coordinator::on_store(const StoreEvent& event, Now now) {
  impl_->enter(now);
  impl_->on(event);
  impl_->leave();
}
void Coordinator::handle_timeout(Now now) {
  impl_->enter(now);
  impl_->leave();
}

std::optional<CoordEvent> Coordinator::next_event() {
  if (impl_->events_.empty()) return impl_->fan_out_.next_event();
  CoordEvent event = std::move(impl_->events_.front());
  impl_->events_.pop_front();
  return event;
}
std::optional<Instant> Coordinator::next_timeout() const { return impl_->next_timeout(); }

std::vector<Coordinator::NodeStatus> Coordinator::nodes() const {
  std::vector<NodeStatus> out;
  for (const auto& [id, state] : impl_->tailnet_.nodes()) out.push_back({state.record, state.online});
  return out;
}
std::string Coordinator::node_json(NodeId node) const {
  const NodeState* state = impl_->tailnet_.find(node);
  return state ? impl_->fan_out_.stored_json(*state) : std::string();
}
std::string Coordinator::map_preview(NodeId node, Now now) const {
  const NodeState* state = impl_->tailnet_.find(node);
  return state ? impl_->fan_out_.preview(*state, now.wall) : std::string();
}
std::optional<Coordinator::NodeStatus> Coordinator::node(const NodePublic& key) const {
  const NodeState* state = impl_->tailnet_.find(key);
  return state ? std::optional(NodeStatus{state->record, state->online}) : std::nullopt;
}
const Rules& Coordinator::rules() const noexcept { return impl_->config_.rules; }
std::vector<DnsChallenge> Coordinator::dns_challenges() const {
  return impl_->answering_.notes().challenges(impl_->now_);
}
bool Coordinator::ready() const noexcept { return impl_->engine_.ready(); }
Coordinator::Counters Coordinator::counters() const { return impl_->fan_out_.counters(); }

}  // namespace ts2021
