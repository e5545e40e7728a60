// SPDX-License-Identifier: BSD-3-Clause
// Map polls of a test node, and the words for answers.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ts2021/client/fold.h"
#include "ts2021/conformance/context.h"
#include "ts2021/msg/map_frame.h"

namespace ts2021::app::conformance {

// "status 400 \"...\"".
[[nodiscard]] std::string told(const Answer& answer);

struct MapMessage {
  std::vector<std::uint8_t> packed;
  std::string json;
  MapResponse response;
};

// One map request on a connection of its own, and what comes of it.
class MapPoll {
 public:
  MapPoll(Context& context, TestNode& node, const MapRequest& request);

  // Reads until it is so. False: the end, or not in time.
  bool wait(const std::function<bool(const MapPoll&)>& enough, std::chrono::milliseconds patience);
  // For the first message that is no keep-alive. Throws Obstacle.
  const MapMessage& first(std::chrono::milliseconds patience);

  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] const std::vector<MapMessage>& messages() const noexcept { return messages_; }
  [[nodiscard]] const Fold& fold() const noexcept { return fold_; }
  // What the fold found, worst first.
  struct Found {
    std::string text;
    Harm harm;
  };
  [[nodiscard]] const std::vector<Found>& findings() const noexcept { return findings_; }
  // "3 messages, left open", for evidence.
  [[nodiscard]] std::string state() const;

 private:
  bool on_event(const ClientEvent& event);
  void take(Bytes bytes);

  std::unique_ptr<Session> session_;
  StreamId stream_{};
  Compression compression_;
  PackedFrameReader frames_{16 << 20};
  MapUnpacker unpacker_;
  Fold fold_;
  int status_ = 0;
  bool ended_ = false;
  std::string trouble_, refusal_;
  std::vector<MapMessage> messages_;
  std::vector<Found> findings_;
};

}  // namespace ts2021::app::conformance
