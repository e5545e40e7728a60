// SPDX-License-Identifier: BSD-3-Clause
// What is judged in the simulated network: every message when it is made, and everything when all is quiet.
#include <algorithm>

#include "sim/network_world.h"

namespace ts2021::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// What changed so long ago must have been told to all who can hear it: latency, the store, a round's pause.
constexpr auto settling_time = seconds{6};

}  // namespace

void NetworkWorld::on_frame(const coord_event::MapFrame& frame) {
  Line* const line = find(LineId{static_cast<std::uint64_t>(frame.session)});
  if (!line || !line->server) return check(false, "a message for a connection that is no more");
  const Device& device = devices_[line->device];
  if (!line->stream) {
    Stream& stream = line->stream.emplace();
    stream.call = frame.call;
    stream.open = true;
    stream.sent = StrictFold(device.capability);
    stream.received = StrictFold(device.capability);
  }
  Stream& stream = *line->stream;
  check(stream.call == frame.call && stream.open, "a message for a call that is over");
  check(!stream.in_flight, "a second message in flight");
  stream.in_flight = true;
  ++tally.frames;

  if (decoded_from_ != frame.pieces) {
    Buffer bytes;
    for (const auto& piece : *frame.pieces) bytes.insert(bytes.end(), piece->begin(), piece->end());
    MapFrameReader& reader = device.zstd ? zstd_reader_ : plain_reader_;
    const auto used = reader.feed(bytes);
    if (!used || *used != bytes.size() || !reader.ready()) return check(false, "a message can't be read");
    auto message = decode<MapResponse>(reader.message());
    if (!message) return check(false, "a message can't be decoded");
    decoded_from_ = frame.pieces;
    decoded_digest_ = Digest::of(reader.message());
    decoded_ = std::make_shared<const MapResponse>(*std::move(message));
  }
  const MapResponse& message = *decoded_;
  stream.under_way.emplace_back(decoded_digest_, now().mono);
  tally.keep_alives += message.keep_alive;
  tally.full_maps += !message.peers.empty();
  std::string wrong = stream.sent.apply(message);
  // The farewell of a node that is no more tells nothing but that.
  const bool judged = !message.keep_alive && !(message.node && !intent_.find(message.node->id));
  if (wrong.empty() && judged)
    wrong =
        intent_.judge(*stream.sent, device.capability, message, stream.judged, options_.frames_between_all);
  if (!wrong.empty()) check(false, "a message for device " + std::to_string(line->device) + ": " + wrong);
}

void NetworkWorld::on_notice(const coord_event::Notice& notice) {
  if (notice.kind != NoticeKind::online && notice.kind != NoticeKind::offline) return;
  const auto* known = intent_.find(notice.node);
  if (!known) return check(false, "presence of a node that is not known");
  check(known->online != (notice.kind == NoticeKind::online), "presence is told twice");
  intent_.set_online(notice.node, notice.kind == NoticeKind::online);
}

// --- quiet times ---

void NetworkWorld::plan_quiet() {
  schedule_.after(random_time(minutes{40}, minutes{80}), [this] {
    if (closing_) return;
    quiet_ = true;
    quiet_version_ = intent_.version();
    quiet_begun_ = quiet_since_ = now().mono;
    watch_quiet();
  });
}

// Nobody does anything new; what is under way goes on, as dead connections that are found out.
void NetworkWorld::watch_quiet() {
  if (closing_) return;
  if (quiet_version_ != intent_.version()) {
    quiet_version_ = intent_.version();
    quiet_since_ = now().mono;
  }
  if (now().mono - quiet_since_ < settling_time) {
    check(now().mono - quiet_begun_ < minutes{30}, "it never becomes quiet");
    schedule_.after(seconds{1}, [this] { watch_quiet(); });
    return;
  }
  ++tally.quiet_checks;
  compare();
  quiet_ = false;
  plan_quiet();
}

void NetworkWorld::compare() {
  check(orders_.empty(), "an order is not answered");
  for (const auto& [id, line] : lines_) compare_line(line);
  compare_presence();
}

void NetworkWorld::compare_line(const Line& line) {
  const bool well = devices_[line.device].main == line.id && line.client && line.server && !line.up.hole &&
                    !line.down.hole && !line.up.stalled && !line.down.stalled && !line.severed &&
                    now().mono - line.opened > settling_time;
  if (!well) return;
  const std::string whose = "when all is quiet, device " + std::to_string(line.device) + ": ";
  if (!line.stream) return check(false, whose + "it has no map");
  const Stream& stream = *line.stream;
  // A keep-alive may just have left.
  if (!stream.under_way.empty() && now().mono - stream.under_way.front().second > settling_time)
    check(false, whose + "a message has not arrived");
  check(*stream.sent == *stream.received, whose + "its map is not what was sent");
  const std::string wrong = intent_.judge(*stream.received, devices_[line.device].capability);
  if (!wrong.empty()) check(false, whose + wrong);
  ++tally.compared;
}

// Online is who has a poll, as far as the server can know.
void NetworkWorld::compare_presence() {
  std::set<NodeId> online;
  for (const auto& [id, line] : lines_)
    if (line.server && line.stream && line.stream->open && (line.client || line.up.hole))
      online.insert((*line.stream->sent).self->id);
  for (const auto& [id, known] : intent_.nodes())
    check(known.online == online.contains(id), known.online ? "nobody is online" : "somebody is offline");
  tally.most_online = std::max(tally.most_online, online.size());
}

// --- bounds ---

void NetworkWorld::look_at_sizes() {
  tally.most_events = std::max(tally.most_events, schedule_.size());
  tally.most_blocks = std::max(tally.most_blocks, server_blocks_.in_use());
  // A device has one poll, and for some minutes those that its networks have swallowed.
  check(lines_.size() <= 8 * devices_.size() + 16, "connections pile up");
  // Of output 256 KiB in blocks of 16, and split records both ways.
  check(server_blocks_.in_use() <= 18 * lines_.size(), "the server's memory grows");
  check(schedule_.size() <= 2000 * devices_.size(), "events pile up");
}

void NetworkWorld::check_nothing_is_left() {
  check(lines_.empty(), "connections are left");
  check(server_blocks_.in_use() == 0 && client_blocks_.in_use() == 0 && slots_.in_use() == 0,
        "memory of connections is left");
  for (const auto& [id, known] : intent_.nodes()) check(!known.online, "a node is online when all are gone");
}

}  // namespace ts2021::test
