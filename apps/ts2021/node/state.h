// SPDX-License-Identifier: BSD-3-Clause
// The keys of a node, in a file that a person can read.
#pragma once

#include <string>

#include "ts2021/key/key.h"

namespace ts2021::app {

struct NodeState {
  MachineKeyPair machine;
  NodePrivate node;
  NodePrivate old_node;  // the one that `node` took the place of; zero: none
  DiscoPrivate disco;
  std::string followup;  // AuthURL of a login that waits for a person, or empty

  [[nodiscard]] static NodeState fresh();
  // Makes a new node key; the one before becomes the old one.
  void rotate();
};

// Of an absent file, or without a path, fresh keys; nothing is written. Throws std::runtime_error.
[[nodiscard]] NodeState load_state(const std::string& path);
// Does nothing without a path.
void save_state(const std::string& path, const NodeState& state);

}  // namespace ts2021::app
