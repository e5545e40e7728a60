// SPDX-License-Identifier: BSD-3-Clause
// The devices of the simulation: what their owners and their days do with them.
#include <algorithm>

#include "sim/network_world.h"

namespace ts2021::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint16_t boxed_capabilities[] = {26, 27};
constexpr std::uint16_t capabilities[] = {28, 30, 32, 33,  36,  40,  53,  58,
                                          68, 74, 90, 104, 111, 117, 130, 148};

}  // namespace

void NetworkWorld::make_devices() {
  devices_.resize(options_.devices);
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    Device& device = devices_[i];
    const auto kind = roll(10);
    device.kind = kind < 3 ? Kind::server : kind < 7 ? Kind::laptop : Kind::phone;
    device.boxed = roll(12) == 0;
    device.capability = Capability{device.boxed ? boxed_capabilities[roll(std::size(boxed_capabilities))]
                                                : capabilities[roll(std::size(capabilities))]};
    device.zstd = roll(3) != 0;
    device.ephemeral = device.kind == Kind::phone && roll(3) == 0;
    device.ssh = device.kind == Kind::server && roll(2) == 0;
    device.machine = MachineKeyPair::generate(client_entropy_);
    device.key = fresh_key<NodePublic>();
    device.disco = fresh_key<DiscoPublic>();
    device.hostname = "n" + std::to_string(roll(devices_.size() / 2 + 1));
    device.latency = random_time(milliseconds{2}, milliseconds{150});
    move(device);
    plan_day(i);
    plan_act(i);
  }
}

// Days begin at midnight, and so does the simulation.
void NetworkWorld::plan_day(std::size_t index) {
  const auto from = [&](hours hour, Duration spread) {
    schedule_.after(hour + random_time({}, spread), [this, index] { switch_on(index); });
  };
  const auto until = [&](hours hour, Duration spread) {
    schedule_.after(hour + random_time({}, spread), [this, index] { switch_off(index); });
  };
  switch (devices_[index].kind) {
    case Kind::server:
      return from(hours{0}, minutes{2});
    case Kind::laptop:
      if (roll(4) == 0) {  // it was left on
        from(hours{0}, minutes{20});
        until(hours{0}, hours{3});
      }
      from(hours{7}, hours{3});
      until(hours{16}, hours{6});
      break;
    case Kind::phone:
      if (roll(3) == 0) {
        from(hours{0}, minutes{20});
        until(hours{0}, hours{2});
      }
      from(hours{6}, hours{2});
      until(hours{21}, hours{3});
      break;
  }
  schedule_.after(hours{24}, [this, index] { plan_day(index); });
}

void NetworkWorld::switch_on(std::size_t index) {
  Device& device = devices_[index];
  if (device.on || closing_) return;
  device.on = true;
  connect(index);
}

// With a word or without one.
void NetworkWorld::switch_off(std::size_t index) {
  Device& device = devices_[index];
  device.on = false;
  if (!device.main) return;
  const LineId line = *std::exchange(device.main, std::nullopt);
  if (roll(2) == 0 && !closing_) cut_silently(line);
  hang_up(line);
}

void NetworkWorld::connect(std::size_t index) {
  Device& device = devices_[index];
  ++device.attempts;
  if (!device.on || closing_) return;
  device.main = open_line(index, false);
}

void NetworkWorld::reconnect(std::size_t index, Duration wait) {
  Device& device = devices_[index];
  if (device.main) hang_up(*std::exchange(device.main, std::nullopt));
  schedule_.after(wait, [this, index, attempt = ++device.attempts] {
    if (devices_[index].attempts == attempt) connect(index);
  });
}

void NetworkWorld::plan_act(std::size_t index) {
  schedule_.after(random_time(minutes{5}, minutes{175}), [this, index] {
    if (!closing_) plan_act(index);
    if (!quiet_ && devices_[index].on && devices_[index].main) act(index);
  });
}

void NetworkWorld::act(std::size_t index) {
  Device& device = devices_[index];
  const LineId line = *device.main;
  const auto dice = roll(100);
  if (dice < 44) {
    move(device);
    update(index);
    if (dice < 8) {  // one overtakes the other
      move(device);
      update(index);
    }
  } else if (dice < 52) {
    cut(line);
  } else if (dice < 60) {  // another network: the client knows at once, the server much later
    ++tally.roams;
    cut_silently(line);
    move(device);
    reconnect(index, random_time(milliseconds{50}, seconds{2}));
  } else if (dice < 63) {
    cut_silently(line);
  } else if (dice < 74) {
    stall(line, roll(3) == 0, random_time(milliseconds{200}, seconds{40}));
  } else if (dice < 80) {  // a new poll before the old one ends
    ++tally.overlaps;
    device.main.reset();
    connect(index);
    schedule_.after(random_time({}, seconds{5}), [this, line] { hang_up(line); });
  } else if (dice < 86) {
    if (device.kind == Kind::server) return;
    ++tally.naps;
    switch_off(index);
    schedule_.after(random_time(minutes{1}, minutes{30}), [this, index] { switch_on(index); });
  } else if (dice < 89) {
    ++tally.rotations;
    device.old_key = std::exchange(device.key, fresh_key<NodePublic>());
    reconnect(index, random_time({}, seconds{3}));
  } else if (dice < 91) {
    if (device.kind == Kind::server) return;
    ++tally.logouts;
    reconnect(index, random_time(minutes{1}, minutes{20}));
    (void)open_line(index, true, true);
    device.key = fresh_key<NodePublic>();
    device.old_key = {};
  } else if (dice < 96) {
    device.hostname = "n" + std::to_string(roll(devices_.size()));
    device.routes.clear();
    if (device.kind == Kind::server)
      for (const auto* text : {"10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "0.0.0.0/0", "::/0"})
        if (roll(2) == 0) device.routes.push_back(*IpPrefix::parse(text));
    reconnect(index, random_time({}, seconds{3}));
  } else {
    device.disco = fresh_key<DiscoPublic>();
    reconnect(index, random_time({}, seconds{3}));
  }
}

void NetworkWorld::move(Device& device) {
  device.endpoints.clear();
  for (auto n = roll(4); n > 0; --n)
    device.endpoints.push_back({IpAddress::v4(static_cast<std::uint32_t>(0x0a000000 + roll(100'000))),
                                static_cast<std::uint16_t>(1 + roll(60'000))});
  if (roll(4) == 0) device.home_derp = 900 + static_cast<int>(roll(3));
}

// Beside the poll; with boxes on a connection of its own.
void NetworkWorld::update(std::size_t index) {
  Device& device = devices_[index];
  ++tally.updates;
  if (device.boxed) {
    (void)open_line(index, true);
    return;
  }
  Line* const line = device.main ? find(*device.main) : nullptr;
  if (!line || !line->client || !line->stream) return;
  (void)line->node->update(*line->client, device.endpoints, device.home_derp, now());
  work_client(*line);
}

void NetworkWorld::on_node_event(Line& line, NodeEvent& event) {
  Device& device = devices_[line.device];
  if (std::holds_alternative<node_event::Registered>(event)) {
    device.failures = 0;
    device.renews = false;
    if (line.errand || device.capability < Capability::separate_updates) return;
    (void)line.node->update(*line.client, device.endpoints, device.home_derp, now());
  } else if (const auto* update = std::get_if<node_event::MapUpdate>(&event)) {
    on_map(line, *update);
  } else if (const auto* refused = std::get_if<node_event::Refused>(&event)) {
    ++tally.refusals;
    if (refused->status != 404 && refused->status != 503)
      check(false, std::string(refused->what) + " is refused: " + std::to_string(refused->status) + " " +
                       refused->text);
  } else if (const auto* answered = std::get_if<node_event::Answered>(&event)) {
    const bool good =
        answered->failed || answered->status == 200 || answered->status == 404 || answered->status == 503;
    check(good, "an update is answered with another status");
    if (answered->failed && now().mono > line.disturbed_until)
      check(false, "an update fails without a cause");
  } else if (std::holds_alternative<node_event::LoginNeeded>(event)) {
    check(false, "a login is wanted of who has a key");
  } else {
    on_ended(line);
  }
}

void NetworkWorld::on_map(Line& line, const node_event::MapUpdate& update) {
  if (!line.stream) return check(false, "a map that nobody sent");
  Stream& stream = *line.stream;
  const auto digest = Digest::of(as_bytes(update.json));
  digest_.add(digest);
  if (stream.under_way.empty() || stream.under_way.front().first != digest)
    return check(false, "a client gets another message than was sent");
  stream.under_way.pop_front();
  const std::string wrong = stream.received.apply(update.response);
  if (!wrong.empty()) check(false, "a message: " + wrong);
  Device& device = devices_[line.device];
  const auto& self = (*stream.received).self;
  if (device.main != line.id || device.renews || !self || self->key_expiry.is_zero() ||
      self->key_expiry.at > now().wall)
    return;
  device.renews = true;
  schedule_.after(random_time(seconds{1}, seconds{10}), [this, index = line.device] {
    Device& renewed = devices_[index];
    if (!renewed.on || !renewed.renews) return;
    ++tally.rotations;
    renewed.old_key = std::exchange(renewed.key, fresh_key<NodePublic>());
    reconnect(index, {});
  });
}

void NetworkWorld::on_ended(Line& line) {
  hang_up(line.id);
  Device& device = devices_[line.device];
  if (device.main != line.id) return;
  device.main.reset();
  const Duration longest = seconds{1} * (1u << std::min(++device.failures, 5u));
  reconnect(line.device, random_time(milliseconds{100}, longest));
}

void NetworkWorld::storm(unsigned one_in, bool silent) {
  ++tally.storms;
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    if (!devices_[i].main || roll(one_in) != 0) continue;
    const LineId line = *devices_[i].main;
    if (!silent) {
      cut(line);
      continue;
    }
    cut_silently(line);
    reconnect(i, random_time({}, milliseconds{300}));
  }
}

}  // namespace ts2021::test
