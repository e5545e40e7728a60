// SPDX-License-Identifier: BSD-3-Clause
// fold_capture CAPTURE MACHINE: what the newest map stream of that machine adds up to, by the library's fold.
// Prints one MapResponse that says the same, then a line per finding.
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "ts2021/capture/line.h"
#include "ts2021/client/fold.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/map_request.h"

using namespace ts2021;

namespace {

MapResponse whole(const Netmap& map) {
  MapResponse message;
  message.node = map.self;
  for (const auto& [id, peer] : map.peers) message.peers.push_back(peer);
  for (const auto& [id, profile] : map.profiles) message.user_profiles.push_back(profile);
  message.derp_map = map.derp_map;
  message.dns_config = map.dns;
  message.domain = map.domain;
  message.domain_data_plane_audit_log_id = map.audit_log_id;
  message.collect_services = map.collect_services;
  message.default_auto_update = map.default_auto_update;
  if (map.filter) message.packet_filters["base"] = map.filter;
  message.ssh_policy = map.ssh;
  message.health = map.health;
  for (const auto& [id, text] : map.display_messages) message.display_messages[id] = text;
  message.client_version = map.client_version;
  message.control_dial_plan = map.dial_plan;
  message.tka_info = map.lock;
  message.control_time = Time(map.control_time);
  return message;
}

bool asks_for_stream(const CaptureLine& line) {
  if (!line.is(CaptureLayer::api, "request") || line.path != "/machine/map") return false;
  const auto request = decode_copy<MapRequest>(line.body);
  return request && request->stream;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  std::ifstream in(argv[1]);
  std::map<std::uint64_t, unsigned> versions;       // of the machine's connections
  std::pair<std::uint64_t, std::int32_t> stream{};  // the newest
  std::optional<Fold> fold;
  for (std::string text; std::getline(in, text) && !in.eof();) {  // without its end a line is being written
    const auto line = parse_capture_line(as_bytes(text));
    if (!line) return std::fprintf(stderr, "not a line of a capture: %.200s\n", text.c_str()), 1;
    if (line->is(CaptureLayer::noise, "handshake") && line->machine == argv[2])
      versions[line->session] = line->version;
    const auto ours = versions.find(line->session);
    if (ours == versions.end()) continue;
    const std::pair place{line->session, line->stream};
    if (asks_for_stream(*line)) {
      stream = place;
      fold.emplace(static_cast<Capability>(ours->second));
    }
    if (!line->is(CaptureLayer::map, "message") || place != stream || !fold) continue;
    auto message = decode_copy<MapResponse>(line->body);
    if (!message) return std::fprintf(stderr, "not a map message: %.200s\n", text.c_str()), 1;
    fold->apply(*std::move(message));
  }
  if (!fold || !fold->netmap().self) return std::fprintf(stderr, "no map yet\n"), 2;
  std::printf("%llu\n%s\n", static_cast<unsigned long long>(fold->messages()),
              encoded(whole(fold->netmap()), newest_capability).c_str());
}
