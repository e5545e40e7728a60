// SPDX-License-Identifier: BSD-3-Clause
#include "admin/raw_frames.h"

#include <utility>

namespace ts2021::admin {

bool RawFrames::add(const NodePublic& node, Frame frame) {
  auto& queue = queues_[node];
  if (queue.size() >= max_queued) return false;
  queue.push_back(std::move(frame));
  return true;
}

RawFrames::Frame RawFrames::take(const NodePublic& node) {
  const auto queue = queues_.find(node);
  Frame frame = std::move(queue->second.front());
  queue->second.pop_front();
  if (queue->second.empty()) queues_.erase(queue);
  return frame;
}

}  // namespace ts2021::admin
