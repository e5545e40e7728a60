// SPDX-License-Identifier: BSD-3-Clause
#include "sim/network_world.h"

#include <algorithm>
#include <cstdio>

#include "sim/islands.h"
#include "ts2021/msg/derp.h"

namespace ts2021::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

CoordinatorConfig make_config(std::shared_ptr<const DERPMap> derp_map) {
  CoordinatorConfig config;
  config.base_domain = "sim.test";
  config.tailnet = "sim";
  config.derp_map = std::move(derp_map);
  config.auth_keys = {{"lasting", false}, {"passing", true}};
  config.ephemeral_timeout = minutes{10};
  config.key_lifetime = hours{6};
  return config;
}

ServiceConfig make_service_config(const ControlBoxPair& box) {
  ServiceConfig config;
  config.box = &box;
  config.key.box = box.open;
  return config;
}

}  // namespace

NetworkWorld::Server::Server(NetworkWorld& world, std::uint64_t seed)
    : inner(world.records_),
      store(inner, seed),
      entropy(seed + 1),
      handshakes(entropy),
      coordinator(store, world.intent_.orders().policy, entropy,
                  make_config(world.intent_.orders().derp_map)),
      service(make_service_config(world.box_keys_), entropy) {
  store.set_failure_percent(2);
}

NetworkWorld::NetworkWorld(const Options& options)
    : options_(options),
      random_(options.seed),
      entropy_(options.seed + 1),
      client_entropy_(options.seed + 2),
      intent_(first_orders()),
      owner_(intent_, records_, random_, islands()) {
  noise_keys_.push_back(ControlNoisePair::generate(entropy_));
  box_keys_ = ControlBoxPair::generate(entropy_);
  server_config_.noise_keys = noise_keys_;
  server_config_.routes = ControlService::routes();
  start_server();
}

NetworkWorld::~NetworkWorld() { lines_.clear(); }

Intent::Orders NetworkWorld::first_orders() const {
  return {std::make_shared<const Islands>(islands()), make_derp_map(2)};
}

std::string NetworkWorld::run(hours time) {
  const Duration day = time;
  make_devices();
  schedule_.after(minutes{1}, [this] { own(); });
  plan_quiet();
  schedule_.after(day * 19 / 100, [this] { storm(1, false); });
  schedule_.after(day * 42 / 100, [this] { storm(3, false); });
  schedule_.after(day * 56 / 100, [this] { restart_server(); });
  schedule_.after(day * 71 / 100, [this] { storm(3, true); });
  schedule_.after(day * 87 / 100, [this] { storm(1, true); });

  bool over = false;
  const auto go_on = [&] {
    over = false;
    while (!over && wrong_.empty() && schedule_.step()) {
      settle();
      if (schedule_.steps() % 1024 == 0) look_at_sizes();
    }
  };
  schedule_.after(day, [&over] { over = true; });
  go_on();
  if (!wrong_.empty()) return wrong_;
  closing_ = true;
  for (std::size_t i = 0; i < devices_.size(); ++i) switch_off(i);
  schedule_.after(minutes{30}, [&over] { over = true; });
  go_on();
  check_nothing_is_left();
  return wrong_;
}

void NetworkWorld::check(bool good, std::string what) {
  if (good || !wrong_.empty()) return;
  const auto at = std::chrono::floor<milliseconds>(schedule_.elapsed());
  const auto left = [&](auto unit, int of) { return static_cast<int>(at / unit % of); };
  char time[32];
  std::snprintf(time, sizeof time, "%02d:%02d:%02d.%03d", left(hours{1}, 1000), left(minutes{1}, 60),
                left(seconds{1}, 60), left(milliseconds{1}, 1000));
  wrong_ = std::string("at ") + time + ", step " + std::to_string(schedule_.steps()) + ": " + std::move(what);
}

// --- the server's life ---

void NetworkWorld::start_server() {
  server_ = std::make_unique<Server>(*this, options_.seed * 1000 + ++starts_);
  server_->coordinator.start(now());
  store_awake_ = true;
  schedule_.after(milliseconds{10}, [this] { step_store(); });
}

// All that it had in memory is gone, and so are the connections.
void NetworkWorld::restart_server() {
  ++tally.restarts;
  for (auto& [id, line] : lines_) {
    if (!line.server) continue;
    line.server.reset();
    if (line.stream) line.stream->open = false;
    line.severed = true;
    schedule_.after(line.latency, [this, id = id] { break_end(id, false); });
    if (!line.client) over_.push_back(id);
  }
  dirty_.clear();
  orders_.clear();
  coordinator_alarm_.reset();
  intent_.restart(first_orders());
  server_.reset();
  start_server();
}

// --- between the parts of the server ---

template <class Input>
void NetworkWorld::tell(const Input& input) {
  intent_.pass(now().wall);
  server_->coordinator.handle(input, now());
  drain();
}

void NetworkWorld::tell_time() {
  intent_.pass(now().wall);
  server_->coordinator.handle_timeout(now());
  drain();
}

void NetworkWorld::drain() {
  while (auto event = server_->coordinator.next_event()) on_event(*event);
}

// After each step: until nothing moves any more at this time.
void NetworkWorld::settle() {
  fanned_out_ = false;
  for (bool busy = true; busy && wrong_.empty();) {
    busy = false;
    while (auto input = server_->service.next_input()) {
      busy = true;
      if (const auto* taken = std::get_if<coord_input::Taken>(&*input)) {
        if (Line* const line = find(LineId{static_cast<std::uint64_t>(taken->session)}); line && line->stream)
          line->stream->in_flight = false;
        if (faulty(NetworkFault::loses_taken) && roll(300) == 0) continue;
      }
      if (faulty(NetworkFault::loses_cancel) && std::holds_alternative<coord_input::Gone>(*input)) continue;
      tell(*input);
    }
    std::sort(dirty_.begin(), dirty_.end());
    dirty_.erase(std::unique(dirty_.begin(), dirty_.end()), dirty_.end());
    for (const SessionId session : std::exchange(dirty_, {})) {
      busy = true;
      if (Line* const line = find(LineId{static_cast<std::uint64_t>(session)})) work_server(*line);
    }
    if (!busy && std::exchange(fanned_out_, false)) {  // lets it measure its rounds
      busy = true;
      tell_time();
    }
  }
  wake_store();
  wake_coordinator();
  for (const LineId id : std::exchange(over_, {})) lines_.erase(id);
}

void NetworkWorld::wake_store() {
  if (store_awake_ || server_->store.idle()) return;
  store_awake_ = true;
  const bool slow = roll(60) == 0;
  schedule_.after(slow ? random_time(milliseconds{100}, milliseconds{1500})
                       : random_time(milliseconds{1}, milliseconds{20}),
                  [this] { step_store(); });
}

void NetworkWorld::step_store() {
  store_awake_ = false;
  server_->store.step();
  StoreEvent event;
  while (server_->store.poll({&event, 1}) == 1) {
    intent_.pass(now().wall);
    if (const auto* changed = std::get_if<Changed>(&event)) intent_.change(*changed);
    server_->coordinator.on_store(event, now());
    drain();
  }
}

void NetworkWorld::wake_coordinator() {
  const auto next = server_->coordinator.next_timeout();
  if (!next || (coordinator_alarm_ && *coordinator_alarm_ <= *next)) return;
  coordinator_alarm_ = next;
  schedule_.at(*next, [this, when = *next] {
    if (coordinator_alarm_ != when) return;
    coordinator_alarm_.reset();
    tell_time();
  });
}

void NetworkWorld::on_event(const CoordEvent& event) {
  if (const auto* notice = std::get_if<coord_event::Notice>(&event)) return on_notice(*notice);
  if (const auto* done = std::get_if<coord_event::CommandDone>(&event)) {
    const auto at = orders_.find(done->command);
    if (at == orders_.end()) return check(false, "an order is answered that nobody gave");
    if (done->status == 200) at->second();
    orders_.erase(at);
    return;
  }
  if (const auto* end = std::get_if<coord_event::MapEnd>(&event))
    if (Line* const line = find(LineId{static_cast<std::uint64_t>(end->session)}))
      if (line->stream && line->stream->call == end->call) {
        line->stream->open = false;
        disturb(*line, hours{48});  // its client goes
      }
  check(!std::holds_alternative<coord_event::Drop>(event), "a session is dropped");
  bool hands_over = true;
  if (const auto* frame = std::get_if<coord_event::MapFrame>(&event)) {
    on_frame(*frame);
    fanned_out_ = true;
    if (faulty(NetworkFault::loses_message) && roll(100) == 0) {
      hands_over = false;
      schedule_.after({}, [this, taken = coord_input::Taken{frame->session, frame->call}] {
        if (Line* const line = find(LineId{static_cast<std::uint64_t>(taken.session)}))
          line->stream->in_flight = false;
        tell(taken);
      });
    }
    if (faulty(NetworkFault::repeats_message) && roll(100) == 0)
      schedule_.after(seconds{1}, [this, again = *frame] {
        if (const auto session = server_->service.on_event(again, now())) dirty_.push_back(*session);
      });
    if (faulty(NetworkFault::sends_older_message)) {
      std::swap(older_, const_cast<coord_event::MapFrame&>(*frame));
    }
  }
  if (!hands_over) return;
  if (const auto session = server_->service.on_event(event, now())) dirty_.push_back(*session);
}

// --- the owner ---

void NetworkWorld::order(std::optional<Owner::Order> order) {
  if (!order) return;
  const CommandId id{++commands_};
  orders_[id] = std::move(order->done);
  ++tally.orders;
  tell(CoordCommand{id, std::move(order->what)});
}

void NetworkWorld::own() {
  if (closing_) return;
  if (!quiet_ && server_->coordinator.ready()) {
    switch (roll(24)) {
      case 0:
        order(owner_.another_policy());
        break;
      case 1:
        order(owner_.another_derp_map());
        break;
      default:
        if (roll(2) == 0) {
          order(owner_.order(now().wall));
          break;
        }
        owner_.administrate();
        if (!std::exchange(store_awake_, true)) schedule_.after(milliseconds{5}, [this] { step_store(); });
    }
  }
  schedule_.after(random_time(minutes{1}, minutes{12}), [this] { own(); });
}

}  // namespace ts2021::test
