// SPDX-License-Identifier: BSD-3-Clause
// A control server with an endpoint of its own: nodes ring a doorbell, and the program hears who it was.
// Everything is in one process and without sockets, as in in_memory_pair.cc.
#include <cstdio>
#include <string>
#include <vector>

#include "control.h"
#include "file_store.h"
#include "plumbing.h"
#include "ts2021/client/node_client.h"

using namespace ts2021;

namespace {

// The row. Its body names a node, so that the program hears only of nodes that exist and of their own
// machine.
const OwnRoute doorbell{.site = Site::noise,
                        .method = Method::post,
                        .pattern = "/machine/doorbell/{}",
                        .max_body = 4096,
                        .names_node = true};

// The handler: an event comes in, an answer goes out, now or later.
void ring(ControlService& service, const own_event::Request& rung) {
  const std::string text = rung.node->name + " is at the " + std::string(rung.request->args[0]) + " door";
  std::printf("server: %s\n", text.c_str());
  (void)service.respond(rung.session, rung.call, {200, "text/plain", {}}, share(text));
}

}  // namespace

int main() {
  example::Random random;
  BlockPool blocks(64);
  CipherScratch cipher;
  const Env env{random, blocks, cipher};
  const Now now{};  // time stands still here
  constexpr SessionId session{1};

  example::FileStore store(std::make_shared<example::RecordFile>(""));
  CoordinatorConfig tailnet;
  tailnet.auth_keys.emplace_back().secret = "let-me-in";
  Coordinator coordinator(store, std::make_shared<AllowAll>(), random, tailnet);
  coordinator.start(now);

  ServiceConfig service_config;
  service_config.own = {doorbell};
  ControlService service(service_config, random);
  const auto routes = ControlService::routes(service_config.own);
  if (!routes) return 1;

  std::vector<ControlNoisePair> server_keys;
  server_keys.push_back(ControlNoisePair::generate(random));
  ServerConfig server_config;
  server_config.noise_keys = server_keys;
  server_config.routes = *routes;
  ServerConnection server(server_config, env, now);
  service.attach(session, server);

  const MachineKeyPair machine = MachineKeyPair::generate(random);
  ClientConfig client_config;
  client_config.host = "control.example.com:80";
  client_config.machine = &machine;
  client_config.server = server_keys.front().open;
  client_config.version = ProtocolVersion{138};
  ClientConnection client(client_config, env, now);

  NodeClientConfig postman;
  postman.node_key = NodePrivate::generate(random).public_key();
  postman.auth_key = "let-me-in";
  postman.hostinfo.hostname = "postman";
  NodeClient node(postman);
  const std::string body = R"({"NodeKey":")" + postman.node_key.text() + R"("})";
  std::optional<StreamId> call;  // at the door
  std::string answer;

  for (bool busy = true; busy;) {
    busy = example::carry(client, server, now);
    while (auto event = server.next_event()) service.handle(session, *event, now);
    busy |= example::settle(service, coordinator, store, now);
    while (auto event = service.next_own_event())
      if (const auto* rung = std::get_if<own_event::Request>(&*event)) ring(service, *rung);
    busy |= example::carry(server, client, now);
    while (auto event = client.next_event()) {
      const auto* data = std::get_if<event::ResponseData>(&*event);
      if (data && data->stream == call) {
        answer += as_text(data->bytes);
        client.release(data->stream, data->bytes.size());
      } else {
        node.handle(client, *event, now);
      }
    }
    while (auto news = node.next_event())
      if (std::holds_alternative<node_event::Registered>(*news))
        if (const auto sent = client.request({"POST", "/machine/doorbell/front", {}}, share(body)))
          call = *sent;
  }
  std::printf("client: it answers: %s\n", answer.c_str());
  return answer == "postman.ts2021.test is at the front door" ? 0 : 1;
}
