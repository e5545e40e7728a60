// SPDX-License-Identifier: BSD-3-Clause
// Map messages for people and for machines.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "ts2021/client/fold.h"
#include "ts2021/client/node_client.h"

namespace ts2021::app {

enum class MapForm {
  readable,
  raw,   // the JSON as it came
  json,  // one object a line: what it is, its sizes, the message, findings
  none
};
enum class ShowNetmap { never, at_end, each };

class MapPrinter {
 public:
  MapPrinter(Capability viewer, MapForm form, ShowNetmap netmap)
      : fold_(viewer), form_(form), netmap_(netmap) {}

  void show(node_event::MapUpdate&& update);
  void end();

  [[nodiscard]] const Netmap& netmap() const noexcept { return fold_.netmap(); }

 private:
  void show_readable(const MapResponse& message, const std::set<NodeId>& ids,
                     const std::map<NodeId, Node>& before, const std::optional<Node>& self_before);
  void print_netmap() const;

  Fold fold_;
  MapForm form_;
  ShowNetmap netmap_;
};

}  // namespace ts2021::app
