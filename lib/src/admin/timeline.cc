// SPDX-License-Identifier: BSD-3-Clause
#include "admin/timeline.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "admin/frames.h"
#include "ts2021/msg/primitives.h"

namespace ts2021::admin {
namespace {

std::string_view name(FrameKind kind) {
  switch (kind) {
    case FrameKind::whole:
      return "whole";
    case FrameKind::delta:
      return "delta";
    case FrameKind::keep_alive:
      return "keep-alive";
    case FrameKind::raw:
      return "raw";
    case FrameKind::large:
      break;
  }
  return "large";
}

}  // namespace

void Timeline::add(const NodePublic& key, Frame frame, const SharedPieces& pieces, Compression compression) {
  if (!nodes_.contains(key) && nodes_.size() >= max_nodes) make_room();
  Node& node = nodes_[key];
  frame.seq = ++last_;
  frame.size = total_size(pieces) - map_prefix_size;
  if (frame.kind != FrameKind::keep_alive) {
    node.message_seq = frame.seq;
    node.message = frame.size <= max_message ? pieces : nullptr;
    node.compression = compression;
  }
  node.frames.push_back(std::move(frame));
  if (node.frames.size() <= max_kept) return;
  node.dropped = node.frames.front().seq;
  node.frames.pop_front();
}

void Timeline::make_room() {
  nodes_.erase(std::min_element(nodes_.begin(), nodes_.end(), [](const auto& a, const auto& b) {
    return a.second.last() < b.second.last();
  }));
}

bool Timeline::has(const std::optional<NodePublic>& node, std::uint64_t after) const {
  if (!node) return !nodes_.empty() && after < last_;
  const auto at = nodes_.find(*node);
  return at != nodes_.end() && after < at->second.last();
}

void Timeline::tell(const std::optional<NodePublic>& key, std::uint64_t after, json::Writer& out) const {
  std::vector<std::pair<const NodePublic*, const Frame*>> found;
  bool lost = false;
  const auto collect = [&](const NodePublic& of, const Node& node) {
    lost = lost || after < node.dropped;
    for (const Frame& frame : node.frames)
      if (frame.seq > after) found.emplace_back(&of, &frame);
  };
  const auto only = key ? nodes_.find(*key) : nodes_.end();
  if (only != nodes_.end()) collect(only->first, only->second);
  if (!key)
    for (const auto& [of, node] : nodes_) collect(of, node);
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.second->seq < b.second->seq; });
  const std::size_t skipped = found.size() - std::min(found.size(), max_told);
  out.plain_name("frames");
  out.begin_array();
  for (std::size_t i = skipped; i < found.size(); ++i) tell(*found[i].first, *found[i].second, out);
  out.end_array();
  number_member(out, "next", last_);
  flag_member(out, "lost", lost || skipped > 0);
  if (only != nodes_.end() && only->second.message_seq > after) tell_message(only->second, out);
}

void Timeline::tell(const NodePublic& key, const Frame& frame, json::Writer& out) {
  out.begin_object();
  number_member(out, "seq", frame.seq);
  text_member(out, "nodeKey", key.text());
  text_member(out, "time", Time(frame.at).text());
  text_member(out, "kind", name(frame.kind));
  number_member(out, "size", frame.size);
  if (frame.unpacked) number_member(out, "unpacked", *frame.unpacked);
  number_member(out, "connection", frame.connection);
  out.plain_name("reasons");
  out.begin_array();
  for (const std::string& reason : frame.why.named) out.string(reason);
  out.end_array();
  number_member(out, "more", frame.why.more);
  out.end_object();
}

void Timeline::tell_message(const Node& node, json::Writer& out) {
  const std::string text = node.message ? Frames::unpack(node.message, node.compression) : std::string();
  number_member(out, "messageSeq", node.message_seq);
  json_member(out, "message", text.size() <= max_message ? text : std::string());
}

}  // namespace ts2021::admin
