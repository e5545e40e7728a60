// SPDX-License-Identifier: BSD-3-Clause
#include "admin/frame_look.h"

#include <charconv>
#include <string>
#include <string_view>

#include "admin/frames.h"
#include "json/reader.h"

namespace ts2021::admin {
namespace {

void take_id(const json::Value& value, std::set<NodeId>& out) {
  std::uint64_t id = 0;
  if (value.get(id)) out.insert(NodeId{id});
}

void take_id(const json::Value& object, std::string_view member, std::set<NodeId>& out) {
  if (object.type() != json::Type::object) return;
  json::ObjectCursor cursor(object);
  std::string_view name;
  for (json::Value value; cursor.next(name, value);)
    if (name == member) return take_id(value, out);
}

// Of a list of nodes, of changes, or of numbers.
void take_ids(const json::Value& list, std::string_view member, std::set<NodeId>& out) {
  if (list.type() != json::Type::array) return;
  json::ArrayCursor cursor(list);
  for (json::Value item; cursor.next(item);)
    if (member.empty())
      take_id(item, out);
    else
      take_id(item, member, out);
}

void take_names(const json::Value& object, std::set<NodeId>& out) {
  if (object.type() != json::Type::object) return;
  json::ObjectCursor cursor(object);
  std::string_view name;
  for (json::Value value; cursor.next(name, value);) {
    std::uint64_t id = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), id).ec == std::errc{}) out.insert(NodeId{id});
  }
}

}  // namespace

FrameLook look_at(const SharedPieces& pieces, Compression compression, bool first) {
  FrameLook look;
  if (total_size(pieces) > max_looked_at) return look;
  const std::string text = Frames::unpack(pieces, compression);
  json::Document document;
  const auto message = document.parse_copy(as_bytes(text));
  if (!message || message->type() != json::Type::object) return look;
  look.unpacked = text.size();
  bool keep_alive = false, node = false, domain = false, peers = false;
  json::ObjectCursor cursor(*message);
  std::string_view name;
  for (json::Value value; cursor.next(name, value);) {
    if (name == "KeepAlive") {
      (void)value.get(keep_alive);
    } else if (name == "Node") {
      node = true;
      take_id(value, "ID", look.nodes);
    } else if (name == "Domain") {
      domain = true;
    } else if (name == "Peers") {
      peers = true;
    } else if (name == "PeersChanged") {
      take_ids(value, "ID", look.nodes);
    } else if (name == "PeersChangedPatch") {
      take_ids(value, "NodeID", look.nodes);
    } else if (name == "PeersRemoved") {
      take_ids(value, {}, look.nodes);
    } else if (name == "OnlineChange" || name == "PeerSeenChange") {
      take_names(value, look.nodes);
    }
  }
  look.kind = keep_alive                           ? FrameKind::keep_alive
              : first || peers || (node && domain) ? FrameKind::whole
                                                   : FrameKind::delta;
  return look;
}

}  // namespace ts2021::admin
