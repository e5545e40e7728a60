// SPDX-License-Identifier: BSD-3-Clause
// What each node was sent, for people that look on: numbered from 1 over all nodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "admin/causes.h"
#include "admin/frame_look.h"
#include "admin/reply.h"
#include "ts2021/base/time.h"
#include "ts2021/key/key.h"

namespace ts2021::admin {

class Timeline {
 public:
  static constexpr std::size_t max_kept = 200;                        // of a node
  static constexpr std::size_t max_nodes = 4096;                      // the one that is longest silent goes
  static constexpr std::size_t max_told = 500;                        // in one answer
  static constexpr std::size_t max_message = std::size_t{256} << 10;  // bytes, packed and unpacked

  struct Frame {
    std::uint64_t seq = 0;
    WallTime at{};
    FrameKind kind{};
    std::size_t size = 0;  // bytes as they went out, without the prefix
    std::optional<std::size_t> unpacked{};
    std::uint64_t connection = 0;
    Reasons why{};
  };
  // The pieces are kept, not copied, for as long as it is the node's last that is no keep-alive.
  void add(const NodePublic& node, Frame frame, const SharedPieces& pieces, Compression compression);
  void forget() { nodes_.clear(); }  // numbers go on

  [[nodiscard]] std::uint64_t last() const { return last_; }
  [[nodiscard]] bool knows(const NodePublic& node) const { return nodes_.contains(node); }
  // None: of any node.
  [[nodiscard]] bool has(const std::optional<NodePublic>& node, std::uint64_t after) const;
  // Members of the answer to one who has seen all up to `after`: frames, the oldest first, next, lost; of one
  // node also its last message, if it is behind `after`.
  void tell(const std::optional<NodePublic>& node, std::uint64_t after, json::Writer& out) const;

 private:
  struct Node {
    std::deque<Frame> frames;
    std::uint64_t dropped = 0;  // the newest that is kept no more
    std::uint64_t message_seq = 0;
    SharedPieces message{};  // null: none, or too large
    Compression compression{};
    [[nodiscard]] std::uint64_t last() const { return frames.back().seq; }
  };
  void make_room();
  static void tell(const NodePublic& key, const Frame& frame, json::Writer& out);
  static void tell_message(const Node& node, json::Writer& out);

  std::uint64_t last_ = 0;
  std::map<NodePublic, Node> nodes_;  // none without frames
};

}  // namespace ts2021::admin
