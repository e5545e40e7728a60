// SPDX-License-Identifier: BSD-3-Clause
// A node in 60 lines: client 127.0.0.1 8080 tskey-test
#include <cstdio>

#include "drive.h"
#include "ts2021/client/fold.h"
#include "ts2021/client/node_client.h"

using namespace ts2021;

int main(int argc, char** argv) {
  if (argc != 4) return 64;  // host, port, auth key
  example::Random random;
  BlockPool blocks(64);
  CipherScratch cipher;
  ClientConfig config{.mode = ClientMode::http1, .host = std::string(argv[1]) + ":" + argv[2]};

  // The server's public key, over plain HTTP.
  ClientConnection site(config, {random, blocks, cipher}, example::now());
  const std::string path = server_key_path(newest_capability);
  int status = 0;
  std::string body;
  const auto read_key = [&](const ClientEvent& event) {
    if (std::holds_alternative<event::Ready>(event)) (void)site.request({"GET", path, {}}, {});
    if (const auto* head = std::get_if<event::ResponseHead>(&event)) status = head->status;
    if (const auto* data = std::get_if<event::ResponseData>(&event))
      if (body.size() < 64 << 10) body += as_text(data->bytes);
    return !std::holds_alternative<event::ResponseEnd>(event);
  };
  example::drive(example::connect_to(argv[1], argv[2]), site, read_key, [] {});
  const auto key = read_server_key(status, as_bytes(body));
  if (!key) return 1;
  // Noise, then registration, then a map that goes on changing. A real node keeps its keys.
  const MachineKeyPair machine = MachineKeyPair::generate(random);
  config.mode = ClientMode::noise, config.machine = &machine, config.server = key->public_key;
  config.version = static_cast<ProtocolVersion>(newest_capability);
  ClientConnection control(config, {random, blocks, cipher}, example::now());
  NodeClientConfig self;
  self.node_key = NodePrivate::generate(random).public_key();
  self.auth_key = argv[3];
  self.hostinfo.hostname = "client";
  NodeClient node(self);
  Fold fold;  // what all messages add up to
  const auto show = [&](const ClientEvent& event) {
    node.handle(control, event, example::now());
    while (auto news = node.next_event()) {
      if (const auto* no = std::get_if<node_event::Refused>(&*news))
        std::fprintf(stderr, "refused: %s\n", example::printable(no->text).c_str());
      auto* update = std::get_if<node_event::MapUpdate>(&*news);
      if (!update) continue;
      fold.apply(std::move(update->response));
      std::printf("%zu peers\n", fold.netmap().peers.size());
      for (const auto& [id, peer] : fold.netmap().peers) std::puts(example::printable(peer.name).c_str());
      std::fflush(stdout);
    }
    return true;
  };
  example::drive(example::connect_to(argv[1], argv[2]), control, show,
                 [&] { node.handle_timeout(control, example::now()); });
}
