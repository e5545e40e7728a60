// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/coord/coordinator.h"

#include <deque>
#include <map>
#include <unordered_map>

#include "coord/deadlines.h"
#include "coord/fan_out.h"
#include "coord/lanes.h"
#include "coord/map_update.h"
#include "coord/planted.h"
#include "coord/preparation.h"
#include "coord/registrar.h"
#include "coord/tailnet.h"

namespace ts2021 {

using namespace coord;

namespace {

constexpr unsigned max_attempts = 32;
constexpr std::chrono::seconds retry_soon{1};
// A wall clock may jump, so that times of day are looked at this often at least.
constexpr std::chrono::seconds longest_look_away{60};

}  // namespace

// Stages of a coordinator:
//
//   reading   --CaughtUp--> preparing           the records that exist
//   preparing --Committed--> ready              owner, preset keys, a block of ids; stale: once more
//   ready                                       lanes run
struct Coordinator::Impl {
  enum class Stage : std::uint8_t { reading, preparing, ready };
  enum class Step : std::uint8_t {
    done,
    waits,   // for the store's answer
    starved  // of ids: stays in front and runs again when there are some
  };

  Impl(Store& store, std::shared_ptr<const Policy> policy, Entropy& entropy, CoordinatorConfig from)
      : store_(store),
        config_(std::move(from)),
        registrar_(tailnet_, entropy, config_),
        fan_out_(tailnet_, entropy, config_, std::move(policy)) {}

  // Every input is between these two.
  void enter(Now now) {
    if (now.mono < now_.mono) return;  // as if no time had passed
    now_ = now;
    for (const NodeId node : tailnet_.expire(now.wall))
      note(NoticeKind::expired, *tailnet_.find(node)->record, "the node key has expired");
    while (const auto node = grace_.pop(now.mono)) add_inner(Work::Kind::offline, *node);
    while (const auto node = reap_.pop(now.mono)) add_inner(Work::Kind::reap, *node);
    if (retry_at_ && *retry_at_ <= now.mono) {
      retry_at_.reset();
      stage_ == Stage::preparing ? submit_preparation() : ask_for_ids();
    }
  }
  void leave() { fan_out_.advance(now_); }

  void on_opened(const coord_input::Opened& input) {
    sessions_.insert_or_assign(input.session, input.machine);
  }

  void on_gone(const coord_input::Gone& input) {
    const auto session = sessions_.find(input.session);
    if (session == sessions_.end()) return;
    const MachinePublic machine = session->second;
    sessions_.erase(session);
    lanes_.cancel(machine, [&](const Work& work) { return work.from.session == input.session; });
    std::erase_if(events_, [&](const CoordEvent& event) {
      return std::visit(
          [&](const auto& of) {
            if constexpr (requires { of.session; }) return of.session == input.session;
            return false;
          },
          event);
    });
    fan_out_.close_session(input.session, [this](NodeId node) { leave_grace(node); });
  }

  void on_cancelled(const coord_input::Cancelled& input) {
    const auto session = sessions_.find(input.session);
    if (session == sessions_.end()) return;
    const PollKey key{input.session, input.call};
    // API-54: a request that was reset before its turn must leave no trace.
    if (!planted(Planted::applies_cancelled))
      lanes_.cancel(session->second, [&](const Work& work) { return work.from == key; });
    std::erase_if(events_, [key](const CoordEvent& event) { return belongs_to(event, key); });
    if (const auto node = fan_out_.close(key)) leave_grace(*node);
  }

  void add_request(Work work) {
    const auto session = sessions_.find(work.from.session);
    if (session == sessions_.end()) return;
    const MachinePublic machine = session->second;
    Lane& lane = lanes_.of(machine);
    if (lane.queue.size() >= Lanes::max_waiting) {
      refuse(work, machine, {503, "too many requests at once", retry_soon});
      return;
    }
    lane.queue.push_back(std::move(work));
    run(machine);
  }

  void on_ask(const coord_input::Ask& ask) {
    const auto refuse = [&](int status, std::string_view text) {
      events_.push_back(coord_event::Refused{ask.session, ask.call, status, text, {}});
    };
    if (const auto* identify = std::get_if<question::Identify>(&ask.question)) {
      const NodeState* state = tailnet_.find(identify->node_key);
      if (!state || !ask.machine || state->record->machine != *ask.machine)
        return refuse(404, "node not found");
      const UserRecord* user = tailnet_.user(state->record->user);
      answer::Identity identity{state->holder, state->record, user ? *user : UserRecord{},
                                state->record->given_name + "." + config_.base_domain};
      events_.push_back(coord_event::Answer{ask.session, ask.call, std::move(identity)});
      return;
    }
    refuse(501, "not available");
  }

  void on_command(const CoordCommand& command) {
    if (const auto* policy = std::get_if<coord_command::SetPolicy>(&command.order)) {
      fan_out_.set_policy(policy->policy);
    } else if (const auto* derp = std::get_if<coord_command::SetDERPMap>(&command.order)) {
      config_.derp_map = derp->derp_map;
      fan_out_.derp_map_changed();
    } else {
      events_.push_back(coord_event::CommandDone{command.id, 501, "not available", {}});
      return;
    }
    events_.push_back(coord_event::CommandDone{command.id, 200, {}, {}});
  }

  void on_store(const StoreEvent& event) {
    if (const auto* changed = std::get_if<Changed>(&event)) return on_changed(*changed);
    if (const auto* committed = std::get_if<Committed>(&event)) return on_committed(committed->ticket);
    if (const auto* rejected = std::get_if<Rejected>(&event))
      return on_rejected(rejected->ticket, rejected->why);
    if (stage_ != Stage::reading) return;
    stage_ = Stage::preparing;
    submit_preparation();
  }

  // --- the store ---

  Ticket submit(std::span<const Write> writes) {
    const Ticket ticket{++last_ticket_};
    store_.submit(ticket, writes);
    return ticket;
  }

  void submit_preparation() {
    preparation_ = prepare(tailnet_, config_, now_.wall);
    id_ticket_ = submit(preparation_.writes);
  }

  void ask_for_ids() {
    if (id_ticket_ != Ticket{} || retry_at_) return;
    preparation_ = more_ids(tailnet_);
    id_ticket_ = submit(preparation_.writes);
  }

  void on_changed(const Changed& changed) {
    const NodeId id{changed.id};
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

  void on_committed(Ticket ticket) {
    if (ticket == id_ticket_) {
      id_ticket_ = Ticket{};
      registrar_.ids.add(preparation_.begin, preparation_.end);
      stage_ = Stage::ready;
      for (const auto& machine : lanes_.machines()) run(machine);
      return;
    }
    settle(ticket, [this](Work& work, const MachinePublic& machine) {
      finish(work, machine);
      return Step::done;
    });
  }

  void on_rejected(Ticket ticket, Error why) {
    const bool stale = why.code == Errc::stale_revision;
    if (ticket == id_ticket_) {
      id_ticket_ = Ticket{};
      if (!stale)
        retry_at_ = now_.mono + retry_soon;
      else if (stage_ == Stage::preparing)
        submit_preparation();
      else
        ask_for_ids();
      return;
    }
    settle(ticket, [&](Work& work, const MachinePublic& machine) {
      registrar_.release(work.reserved);
      work.reserved = {};
      if (stale && ++work.attempts < max_attempts && !work.cancelled) return step(work, machine);
      fail(work, machine);
      return Step::done;
    });
  }

  template <class How>
  void settle(Ticket ticket, How how) {
    const auto at = tickets_.find(ticket);
    if (at == tickets_.end()) return;
    const MachinePublic machine = at->second;
    tickets_.erase(at);
    Lane& lane = lanes_.of(machine);
    lane.busy = false;
    const Step then = how(lane.queue.front(), machine);
    lane.busy = then == Step::waits;
    if (then != Step::done) return;
    lane.queue.pop_front();
    run(machine);
  }

  // --- lanes ---

  void add_inner(Work::Kind kind, NodeId node) {
    const NodeState* state = tailnet_.find(node);
    if (!state) return;
    Work work;
    work.kind = kind;
    work.node = node;
    const MachinePublic machine = state->record->machine;
    lanes_.of(machine).queue.push_back(std::move(work));
    run(machine);
  }

  void run(const MachinePublic& machine) {
    Lane& lane = lanes_.of(machine);
    while (stage_ == Stage::ready && !lane.busy && !lane.queue.empty()) {
      const Step then = step(lane.queue.front(), machine);
      lane.busy = then == Step::waits;
      if (then != Step::done) return;
      lane.queue.pop_front();
    }
    lanes_.drop_if_empty(machine);
  }

  Step step(Work& work, const MachinePublic& machine) {
    switch (work.kind) {
      case Work::Kind::enroll:
        return step_register(work, machine);
      case Work::Kind::map:
        return step_map(work, machine);
      case Work::Kind::offline:
        return step_offline(work, machine);
      case Work::Kind::reap:
        return step_reap(work, machine);
    }
    return Step::done;
  }

  Step wait(const MachinePublic& machine, std::span<const Write> writes) {
    tickets_.emplace(submit(writes), machine);
    return Step::waits;
  }

  Step step_register(Work& work, const MachinePublic& machine) {
    work.plan = registrar_.plan(*work.register_request, machine, now_.wall);
    if (registrar_.ids.left() < id_block_low) ask_for_ids();
    if (work.plan.needs_ids) return Step::starved;
    work.reserved = work.plan.reserved;
    if (!work.plan.writes.empty()) return wait(machine, work.plan.writes);
    finish(work, machine);
    return Step::done;
  }

  Step step_map(Work& work, const MachinePublic& machine) {
    const MapRequest& request = *work.map_request;
    if (request.version == Capability{}) {
      refuse(work, machine, {400, "the request has no version", {}});
      return Step::done;
    }
    const NodeState* state = tailnet_.find(request.node_key);
    if (!state || state->record->machine != machine) {  // API-56
      refuse(work, machine, {404, "node not found", {}});
      return Step::done;
    }
    work.node = state->record->id;
    auto update = map_update(registrar_, *state->record, request);
    work.reserved = update.reserved;
    if (planted(Planted::answers_early)) finish(work, machine);
    if (update.record) return write_node(machine, *state, std::move(*update.record), update.durable);
    finish(work, machine);
    return Step::done;
  }

  Step step_offline(Work& work, const MachinePublic& machine) {
    const NodeState* state = tailnet_.find(work.node);
    if (!state || !state->online || fan_out_.is_present(work.node)) return Step::done;
    NodeRecord record = *state->record;
    record.last_seen = now_.wall;
    return write_node(machine, *state, std::move(record), false);
  }

  Step step_reap(Work& work, const MachinePublic& machine) {
    const NodeState* state = tailnet_.find(work.node);
    if (!state || state->online || !state->record->ephemeral || fan_out_.is_present(work.node))
      return Step::done;
    const Write write{RecordKind::node, id(*state->holder), state->revision, nullptr};
    work.plan.notice = notice(NoticeKind::removed, *state->record, "ephemeral and away for too long");
    return wait(machine, {&write, 1});
  }

  Step write_node(const MachinePublic& machine, const NodeState& state, NodeRecord record, bool durable) {
    const Write write{RecordKind::node, id(*state.holder), state.revision,
                      std::make_shared<const Record>(std::move(record)), durable};
    return wait(machine, {&write, 1});
  }

  void finish(Work& work, const MachinePublic& machine) {
    switch (work.kind) {
      case Work::Kind::enroll:
        return finish_register(work, machine);
      case Work::Kind::map:
        return finish_map(work, machine);
      case Work::Kind::offline:
        return finish_offline(work);
      case Work::Kind::reap:
        if (work.plan.notice) events_.push_back(*work.plan.notice);
        return;
    }
  }

  void finish_register(Work& work, const MachinePublic& machine) {
    RegisterPlan& plan = work.plan;
    if (plan.refusal) return refuse(work, machine, *plan.refusal);
    if (plan.notice) events_.push_back(*plan.notice);
    if (!plan.reply.error.empty()) events_.push_back(notice(NoticeKind::refused, machine, plan.why));
    if (work.cancelled) return;
    events_.push_back(coord_event::RegisterReply{
        work.from.session, work.from.call, std::make_shared<const RegisterResponse>(std::move(plan.reply))});
  }

  void finish_map(Work& work, const MachinePublic& machine) {
    if (work.cancelled) return;
    const NodeState* state = tailnet_.find(work.node);
    if (!state) return refuse(work, machine, {404, "node not found", {}});
    const MapKind kind = kind_of(*work.map_request);
    if (kind == MapKind::update) {  // MAP-37
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

  void finish_offline(const Work& work) {
    const NodeState* state = tailnet_.find(work.node);
    if (!state || !state->online || fan_out_.is_present(work.node)) return;
    tailnet_.set_online(work.node, false);
    note(NoticeKind::offline, *state->record, "offline");
    if (state->record->ephemeral) reap_.set(work.node, now_.mono + config_.ephemeral_timeout);
  }

  // The store does not take it.
  void fail(Work& work, const MachinePublic& machine) {
    if (work.kind == Work::Kind::offline) return finish_offline(work);
    if (work.kind == Work::Kind::reap) {
      if (tailnet_.find(work.node)) reap_.set(work.node, now_.mono + config_.ephemeral_timeout);
      return;
    }
    refuse(work, machine, {503, "the server can not store this now", retry_soon});
  }

  // --- news ---

  // The node's map stream is gone; peers hear of it when no other comes soon (MAP-38).
  void leave_grace(NodeId node) {
    if (tailnet_.find(node)) grace_.set(node, now_.mono + config_.offline_grace);
  }

  void refuse(const Work& work, const MachinePublic& machine, const Refusal& refusal) {
    events_.push_back(notice(NoticeKind::refused, machine, refusal.text));
    if (work.cancelled) return;
    events_.push_back(coord_event::Refused{work.from.session, work.from.call, refusal.status, refusal.text,
                                           refusal.retry_after});
  }

  static coord_event::Notice notice(NoticeKind kind, const NodeRecord& record, std::string_view text) {
    return {kind, record.id, record.given_name, record.machine, text};
  }
  static coord_event::Notice notice(NoticeKind kind, const MachinePublic& machine, std::string_view text) {
    return {kind, NodeId{}, {}, machine, text};
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
    earlier(retry_at_);
    if (const auto expiry = tailnet_.next_expiry())
      earlier(now_.mono +
              std::min<Instant::duration>(
                  std::max<Instant::duration>(*expiry - now_.wall, Instant::duration{0}), longest_look_away));
    return next;
  }

  Store& store_;
  CoordinatorConfig config_;
  Now now_{};
  Stage stage_ = Stage::reading;
  Tailnet tailnet_;
  Registrar registrar_;
  FanOut fan_out_;
  Lanes lanes_;
  std::unordered_map<SessionId, MachinePublic> sessions_;
  std::uint64_t last_ticket_ = 0;
  std::unordered_map<Ticket, MachinePublic> tickets_;
  Ticket id_ticket_{};
  Preparation preparation_;
  std::optional<Instant> retry_at_;
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

void Coordinator::handle(const coord_input::Opened& input, Now now) {
  impl_->enter(now);
  impl_->on_opened(input);
  impl_->leave();
}
void Coordinator::handle(const coord_input::Gone& input, Now now) {
  impl_->enter(now);
  impl_->on_gone(input);
  impl_->leave();
}
void Coordinator::handle(const coord_input::Register& input, Now now) {
  impl_->enter(now);
  Work work;
  work.kind = Work::Kind::enroll;
  work.from = {input.session, input.call};
  work.register_request = input.request;
  if (input.request) impl_->add_request(std::move(work));
  impl_->leave();
}
void Coordinator::handle(const coord_input::Map& input, Now now) {
  impl_->enter(now);
  Work work;
  work.kind = Work::Kind::map;
  work.from = {input.session, input.call};
  work.map_request = input.request;
  if (input.request) impl_->add_request(std::move(work));
  impl_->leave();
}
void Coordinator::handle(const coord_input::Ask& input, Now now) {
  impl_->enter(now);
  impl_->on_ask(input);
  impl_->leave();
}
void Coordinator::handle(const coord_input::Cancelled& input, Now now) {
  impl_->enter(now);
  impl_->on_cancelled(input);
  impl_->leave();
}
void Coordinator::handle(const coord_input::Taken& input, Now now) {
  impl_->enter(now);
  impl_->fan_out_.taken({input.session, input.call});
  impl_->leave();
}
void Coordinator::handle(const CoordInput& input, Now now) {
  std::visit([&](const auto& one) { handle(one, now); }, input);
}
void Coordinator::on_store(const StoreEvent& event, Now now) {
  impl_->enter(now);
  impl_->on_store(event);
  impl_->leave();
}
void Coordinator::handle_timeout(Now now) {
  impl_->enter(now);
  impl_->leave();
}

void Coordinator::handle(const CoordCommand& command, Now now) {
  impl_->enter(now);
  impl_->on_command(command);
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
bool Coordinator::ready() const noexcept { return impl_->stage_ == Impl::Stage::ready; }
const Coordinator::Counters& Coordinator::counters() const noexcept { return impl_->fan_out_.counters(); }

}  // namespace ts2021
