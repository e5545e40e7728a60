// SPDX-License-Identifier: BSD-3-Clause
#include "coord/engine.h"

#include <algorithm>

namespace ts2021::coord {
namespace {

constexpr unsigned max_attempts = 32;

}  // namespace

void Engine::advance(Now now) {
  now_ = now;
  if (!retry_at_ || *retry_at_ > now.mono) return;
  retry_at_.reset();
  stage_ == Stage::preparing ? submit_preparation() : ask_for_ids();
}

bool Engine::add_request(const MachinePublic& machine, Work work) {
  if (lanes_.of(machine).queue.size() >= Lanes::max_waiting) return false;
  add(machine, std::move(work));
  return true;
}

void Engine::add(const MachinePublic& machine, Work work) {
  lanes_.of(machine).queue.push_back(std::move(work));
  run(machine);
}

Ticket Engine::submit(std::span<const Write> writes) {
  const Ticket ticket{++last_ticket_};
  store_.submit(ticket, writes);
  return ticket;
}

void Engine::on_caught_up() {
  if (stage_ != Stage::reading) return;
  stage_ = Stage::preparing;
  submit_preparation();
}

void Engine::submit_preparation() {
  preparation_ = prepare(tailnet_, config_, now_.wall);
  id_ticket_ = submit(preparation_.writes);
}

void Engine::ask_for_ids(std::uint64_t count) {
  if (id_ticket_ != Ticket{} || retry_at_) return;
  preparation_ = more_ids(tailnet_, std::max(count, id_block_size));
  id_ticket_ = submit(preparation_.writes);
}

bool Engine::on_committed(Ticket ticket) {
  if (ticket == id_ticket_) {
    id_ticket_ = Ticket{};
    ids_.add(preparation_.begin, preparation_.end);
    const bool became_ready = stage_ != Stage::ready;
    stage_ = Stage::ready;
    for (const auto& machine : lanes_.machines()) run(machine);
    return became_ready;
  }
  settle(ticket, [this](Work& work, const MachinePublic& machine) {
    worker_.finish(work, machine);
    return Step::done;
  });
  return false;
}

void Engine::on_rejected(Ticket ticket, Error why) {
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
    tailnet_.release(work.plan.reserved);
    for (const Reserved& more : work.plan.reserved_too) tailnet_.release(more);
    work.plan = {};
    if (stale && ++work.attempts < max_attempts && !work.cancelled) return step(work, machine);
    worker_.fail(work, machine);
    return Step::done;
  });
}

template <class How>
void Engine::settle(Ticket ticket, How how) {
  const auto at = tickets_.find(ticket);
  if (at == tickets_.end()) return;
  const MachinePublic machine = at->second;
  tickets_.erase(at);
  Lane& lane = lanes_.of(machine);  // busy, also for what the work itself adds
  const Step then = how(lane.queue.front(), machine);
  lane.busy = then == Step::waits;
  if (then != Step::done) return;
  lane.queue.pop_front();
  run(machine);
}

void Engine::run(const MachinePublic& machine) {
  Lane& lane = lanes_.of(machine);
  while (stage_ == Stage::ready && !lane.busy && !lane.queue.empty()) {
    lane.busy = true;
    const Step then = step(lane.queue.front(), machine);
    lane.busy = then == Step::waits;
    if (then != Step::done) return;
    lane.queue.pop_front();
  }
  lanes_.drop_if_empty(machine);
}

Engine::Step Engine::step(Work& work, const MachinePublic& machine) {
  work.plan = worker_.plan(work, machine);
  if (ids_.left() < std::max(id_block_low, work.plan.needs_ids)) ask_for_ids(work.plan.needs_ids);
  if (work.plan.needs_ids) return Step::starved;
  if (!work.plan.writes.empty()) {
    tickets_.emplace(submit(work.plan.writes), machine);
    return Step::waits;
  }
  worker_.finish(work, machine);
  return Step::done;
}

}  // namespace ts2021::coord
