// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/node/state.h"

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "common/clock.h"
#include "common/private_file.h"

namespace ts2021::app {
namespace {

constexpr std::size_t max_line = 4096;

// A disco key has no text of its own: its bytes are written like those of other private keys.
std::string disco_text(const DiscoPrivate& key) {
  return NodePrivate::from_bytes(key.reveal_bytes()).reveal_text();
}

template <class Key>
Key key_of(const std::string& text, const std::string& where) {
  auto key = Key::parse(text);
  if (!key || key->is_zero()) throw std::runtime_error(where + ": not a private key");
  return *std::move(key);
}

}  // namespace

NodeState NodeState::fresh() {
  SystemEntropy entropy;
  NodeState state;
  state.machine = MachineKeyPair::generate(entropy);
  state.node = NodePrivate::generate(entropy);
  state.disco = DiscoPrivate::generate(entropy);
  return state;
}

void NodeState::rotate() {
  SystemEntropy entropy;
  old_node = std::exchange(node, NodePrivate::generate(entropy));
  followup.clear();
}

// Lines of "name = value"; what begins with # is a comment.
NodeState load_state(const std::string& path) {
  if (path.empty()) return NodeState::fresh();
  errno = 0;
  std::ifstream in(path);
  if (!in && errno == ENOENT) return NodeState::fresh();
  if (!in) throw std::runtime_error(path + ": can't be read");
  NodeState state;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::string where = path + ", line " + std::to_string(number);
    if (line.empty() || line.front() == '#') continue;
    const std::size_t sign = line.find(" = ");
    if (sign == std::string::npos || line.size() > max_line)
      throw std::runtime_error(where + ": not a line of a state file of this program");
    const std::string name = line.substr(0, sign), value = line.substr(sign + 3);
    if (name == "machine")
      state.machine = MachineKeyPair::from(key_of<MachinePrivate>(value, where));
    else if (name == "node")
      state.node = key_of<NodePrivate>(value, where);
    else if (name == "old-node")
      state.old_node = key_of<NodePrivate>(value, where);
    else if (name == "disco")
      state.disco = DiscoPrivate::from_bytes(key_of<NodePrivate>(value, where).reveal_bytes());
    else if (name == "followup")
      state.followup = value;
    else
      throw std::runtime_error(where + ": an unknown name");
  }
  if (state.machine.secret.is_zero() || state.node.is_zero() || state.disco.is_zero())
    throw std::runtime_error(path + ": a machine, node or disco key is missing");
  return state;
}

void save_state(const std::string& path, const NodeState& state) {
  if (path.empty()) return;
  std::string text = "# A node of ts2021. Whoever has these keys is this node.\n";
  const auto line = [&text](const char* name, const std::string& value) {
    text.append(name).append(" = ").append(value).append("\n");
  };
  line("machine", state.machine.secret.reveal_text());
  line("node", state.node.reveal_text());
  if (!state.old_node.is_zero()) line("old-node", state.old_node.reveal_text());
  line("disco", disco_text(state.disco));
  if (!state.followup.empty()) line("followup", state.followup);
  write_private_file(path, text);
}

}  // namespace ts2021::app
