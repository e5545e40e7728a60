// SPDX-License-Identifier: BSD-3-Clause
// The first thing to read: a client and a server connection in one process, without sockets. What one has to
// send is given to the other until both are quiet; client.cc and blocking_server.cc do the same with sockets.
#include <cstdio>
#include <vector>

#include "plumbing.h"
#include "ts2021/conn/client_connection.h"
#include "ts2021/conn/server_connection.h"

using namespace ts2021;

namespace {

constexpr Route routes[] = {{RouteId{0}, Site::noise, Method::post, "/greet", 1024}};

void serve(ServerConnection& server, const ServerEvent& event, Now now) {
  if (const auto* known = std::get_if<event::PeerKnown>(&event)) {
    std::printf("server: %s wants in, version %u\n", known->peer.short_text().c_str(),
                static_cast<unsigned>(known->version));
    (void)server.accept({}, now);
  } else if (const auto* request = std::get_if<event::Request>(&event)) {
    std::printf("server: it asks: %.*s\n", static_cast<int>(request->body.size()),
                reinterpret_cast<const char*>(request->body.data()));
    (void)server.respond(request->stream, {200, "text/plain", {}}, share("hello, machine"));
    server.release(request->stream);
  }
}

bool use(ClientConnection& client, const ClientEvent& event) {
  if (std::holds_alternative<event::Ready>(event)) {
    std::printf("client: inside\n");
    (void)client.request({"POST", "/greet", {}}, share("who is there?"));
  } else if (const auto* data = std::get_if<event::ResponseData>(&event)) {
    std::printf("client: it answers: %.*s\n", static_cast<int>(data->bytes.size()),
                reinterpret_cast<const char*>(data->bytes.data()));
    client.release(data->stream, data->bytes.size());
  }
  return std::holds_alternative<event::ResponseEnd>(event);
}

}  // namespace

int main() {
  example::Random random;
  BlockPool blocks(64);
  CipherScratch cipher;
  const Env env{random, blocks, cipher};
  const Now now{};  // time stands still here

  const MachineKeyPair machine = MachineKeyPair::generate(random);
  std::vector<ControlNoisePair> server_keys;
  server_keys.push_back(ControlNoisePair::generate(random));

  ServerConfig server_config;
  server_config.noise_keys = server_keys;
  server_config.routes = routes;
  ServerConnection server(server_config, env, now);

  ClientConfig client_config;
  client_config.host = "control.example.com:80";
  client_config.machine = &machine;
  client_config.server = server_keys.front().open;
  client_config.version = ProtocolVersion{138};
  ClientConnection client(client_config, env, now);

  bool answered = false;
  for (bool busy = true; busy && !answered;) {
    busy = example::carry(client, server, now);
    while (auto event = server.next_event()) serve(server, *event, now);
    if (example::carry(server, client, now)) busy = true;
    while (auto event = client.next_event()) answered |= use(client, *event);
  }
  return answered ? 0 : 1;
}
