// SPDX-License-Identifier: BSD-3-Clause
// ts2021 map: registers a node and shows its map as it changes.
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "common/private_file.h"
#include "ts2021/client/node_client.h"
#include "ts2021/commands.h"
#include "ts2021/net/fetch_key.h"
#include "ts2021/net/session.h"
#include "ts2021/net/target.h"

namespace ts2021::app {
namespace {

struct Options {
  Target target;
  std::string auth_key;
  std::string hostname = "ts2021";
  std::string state;      // path; empty: new keys every time
  double seconds = 0;     // 0: until the server ends it
  std::size_t peers = 0;  // end as soon as this many peers are in the map; 0: no such end
  bool websocket = false;
  bool no_compression = false;
  bool ephemeral = false;
  bool json = false;
};

struct Identity {
  MachineKeyPair machine;
  NodePrivate node;
};

// Two lines, machine key then node key. An absent file is made, for the owner only.
Identity load_identity(const std::string& path) {
  SystemEntropy entropy;
  if (!path.empty()) {
    std::ifstream in(path);
    std::string machine, node;
    if (in && std::getline(in, machine) && std::getline(in, node)) {
      auto m = MachinePrivate::parse(machine);
      auto n = NodePrivate::parse(node);
      if (!m || !n) throw std::runtime_error(path + ": not a state file of this program");
      return {MachineKeyPair::from(*std::move(m)), *std::move(n)};
    }
  }
  Identity made{MachineKeyPair::generate(entropy), NodePrivate::generate(entropy)};
  if (!path.empty())
    write_private_file(path, made.machine.secret.reveal_text() + "\n" + made.node.reveal_text() + "\n");
  return made;
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= 0x20 && c < 0x7f ? c : '?';
  return out;
}

void print_node(const char* what, const Node& node) {
  std::string addresses;
  for (const auto& address : node.addresses) addresses += " " + address.address.text();
  std::printf("%s %llu %s%s%s relay %d, %zu endpoints\n", what, static_cast<unsigned long long>(node.id),
              printable(node.name).c_str(), addresses.c_str(),
              !node.online   ? ""
              : *node.online ? " online"
                             : " offline",
              node.home_derp, node.endpoints.size());
}

void print_change(const PeerChange& change) {
  std::string what;
  if (change.online) what += *change.online ? " online" : " offline";
  if (change.derp_region != 0) what += " relay " + std::to_string(change.derp_region);
  if (change.endpoints) what += " " + std::to_string(change.endpoints->size()) + " endpoints";
  std::printf("peer %llu%s\n", static_cast<unsigned long long>(change.node_id),
              what.empty() ? " changed" : what.c_str());
}

class Printer {
 public:
  explicit Printer(const Options& options) : options_(options) {}

  // False when all peers that were asked for are there.
  bool show(const node_event::MapUpdate& update) {
    const MapResponse& map = update.response;
    if (options_.json) {
      std::printf("%.*s\n", static_cast<int>(update.json.size()), update.json.data());
    } else if (!map.keep_alive) {
      if (map.node) print_node("self", *map.node);
      for (const Node& peer : map.peers) print_node("peer", peer);
      for (const Node& peer : map.peers_changed) print_node("peer", peer);
      for (const PeerChange& change : map.peers_changed_patch) print_change(change);
      for (const auto& [id, online] : map.online_change)
        std::printf("peer %llu %s\n", static_cast<unsigned long long>(id), online ? "online" : "offline");
      for (const NodeId id : map.peers_removed)
        std::printf("peer %llu removed\n", static_cast<unsigned long long>(id));
    }
    std::fflush(stdout);
    for (const Node& peer : map.peers) peers_[peer.id] = true;
    for (const Node& peer : map.peers_changed) peers_[peer.id] = true;
    for (const NodeId id : map.peers_removed) peers_.erase(id);
    return options_.peers == 0 || peers_.size() < options_.peers;
  }

 private:
  const Options& options_;
  std::map<NodeId, bool> peers_;
};

int run(const Options& options) {
  const Capability capability = options.target.version();
  const ControlUrl url = options.target.control();
  const ServerKey key = fetch_key(url, options.target.dialing(), capability);
  if (key.public_key.is_zero()) throw std::runtime_error("control server is too old; no Noise key");
  const Identity identity = load_identity(options.state);
  SystemEntropy entropy;

  ClientConfig config;
  config.mode = options.websocket ? ClientMode::noise_websocket : ClientMode::noise;
  config.machine = &identity.machine;
  config.server = key.public_key;
  config.version = static_cast<ProtocolVersion>(options.target.capability);
  Session session(url, options.target.dialing(), config);

  NodeClientConfig node;
  node.capability = capability;
  node.node_key = identity.node.public_key();
  node.disco_key = DiscoPrivate::generate(entropy).public_key();
  node.auth_key = options.auth_key;
  node.hostinfo.hostname = options.hostname;
  node.hostinfo.os = "linux";
  node.hostinfo.ipn_version = "ts2021-" TS2021_VERSION;
  node.hostinfo.backend_log_id = "ts2021";
  node.ephemeral = options.ephemeral;
  node.zstd = !options.no_compression;
  NodeClient client(std::move(node));

  Printer printer(options);
  int exit_code = 0;
  std::optional<Instant> until;
  if (options.seconds > 0)
    until = now().mono + std::chrono::duration_cast<std::chrono::nanoseconds>(
                             std::chrono::duration<double>(options.seconds));

  const auto take_news = [&] {
    while (auto event = client.next_event()) {
      if (const auto* registered = std::get_if<node_event::Registered>(&*event)) {
        if (!options.json)
          std::printf("registered as %s\n", printable(registered->response.login.login_name).c_str());
      } else if (const auto* update = std::get_if<node_event::MapUpdate>(&*event)) {
        if (!printer.show(*update)) return false;
      } else if (const auto* refused = std::get_if<node_event::Refused>(&*event)) {
        std::fprintf(stderr, "%s refused with status %d: %s\n", std::string(refused->what).c_str(),
                     refused->status, printable(refused->text).c_str());
        exit_code = 3;
      } else if (const auto* login = std::get_if<node_event::LoginNeeded>(&*event)) {
        std::fprintf(stderr, "log in at %s\n", printable(login->url).c_str());
        exit_code = 4;
      } else if (const auto* ended = std::get_if<node_event::Ended>(&*event)) {
        if (exit_code == 0) {
          std::fprintf(stderr, "ended: %s\n", std::string(text(ended->why.code)).c_str());
          exit_code = 2;
        }
        return false;
      }
    }
    return true;
  };
  session.run(
      [&](const ClientEvent& event) {
        client.handle(session.connection(), event, now());
        return take_news();
      },
      [&] {
        client.handle_timeout(session.connection(), now());
        return client.next_timeout();
      },
      until);
  return exit_code;
}

}  // namespace

Run add_map(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = *program.add_subcommand("map", "register a node and show its map as it changes");
  add_target(command, options->target);
  command.add_option("--auth-key", options->auth_key, "key that lets the node join");
  command.add_option("--hostname", options->hostname)->capture_default_str();
  command.add_option("--state", options->state,
                     "file that keeps the node's keys; without it they are new every time");
  command.add_option("--seconds", options->seconds, "end after this time; 0: when the server ends it")
      ->capture_default_str();
  command.add_option("--peers", options->peers, "end with success once so many peers are in the map");
  command.add_flag("--websocket", options->websocket, "upgrade as browsers do");
  command.add_flag("--no-compression", options->no_compression, "ask for plain JSON");
  command.add_flag("--ephemeral", options->ephemeral, "ask to be forgotten once inactive");
  command.add_flag("--json", options->json, "print each message as it came, one a line");
  return [options] { return run(*options); };
}

}  // namespace ts2021::app
