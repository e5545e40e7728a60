// SPDX-License-Identifier: BSD-3-Clause
// One node of the fleet: its socket and connection, and how far it has come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/socket.h"
#include "ts2021/conn/client_connection.h"
#include "ts2021/fleet/identity.h"
#include "ts2021/msg/map_frame.h"

namespace ts2021::app::fleet {

// What a node does once it is started, in this order.
struct Errand {
  bool enroll = false;  // register
  bool update = false;  // a lite update with its endpoints
  bool stream = true;
  bool omit_peers = false;  // of the stream
};

struct Node {
  //  off ─▶ connecting ─▶ upgrading ─▶ [enrolling] ─▶ [updating] ─▶ opening ─first map─▶ streaming
  // Any failure leads to off, where it is told.
  enum class Phase : std::uint8_t { off, connecting, upgrading, enrolling, updating, opening, streaming };

  std::uint32_t number = 0;
  Identity identity;
  std::uint32_t generation = 0;  // of its endpoints
  int home_derp = 1;

  Phase phase = Phase::off;
  Errand errand;
  Instant begun{}, step_begun{}, deadline{};  // of the errand; of the step; when the errand has failed
  Fd socket;
  std::uint32_t life = 0;  // counts sockets
  bool blocked = false;    // the socket takes nothing now
  std::optional<ClientConnection> connection;
  std::optional<StreamId> map, call;  // call: registering or updating
  Instant call_sent{};
  int map_status = 0, call_status = 0;
  std::vector<std::uint8_t> body;  // of the call's answer, or of a refused map
  PackedFrameReader frames;

  std::uint64_t bytes_in = 0, bytes_out = 0;  // of TCP, over all sockets
  std::uint64_t frame_count = 0, frame_bytes = 0;
  unsigned tries = 0;  // since it last streamed

  [[nodiscard]] bool under_way() const noexcept { return phase != Phase::off && phase != Phase::streaming; }
};

}  // namespace ts2021::app::fleet
