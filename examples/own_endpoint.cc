// SPDX-License-Identifier: BSD-3-Clause
// A control server with an endpoint of its own: nodes ring a doorbell, and the program hears who it was.
// Everything is in one process and without sockets, as in in_memory_pair.cc.
#include <array>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "store/memory_store.h"
#include "ts2021/conn/client_connection.h"
#include "ts2021/conn/server_connection.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/service/control_service.h"

using namespace ts2021;

namespace {

class Random final : public Entropy {
 public:
  void fill(MutableBytes out) noexcept override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(device_());
  }

 private:
  std::random_device device_;
};

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

// Carries what `from` has to send to `to`. True when anything moved.
template <class From, class To>
bool carry(From& from, To& to, Now now) {
  std::array<Bytes, 16> pieces;
  const std::size_t count = from.output(pieces, now);
  std::vector<std::uint8_t> wire;
  for (std::size_t i = 0; i < count; ++i) wire.insert(wire.end(), pieces[i].begin(), pieces[i].end());
  from.output_sent(wire.size(), now);
  if (!wire.empty()) (void)to.receive(wire, now);
  return !wire.empty();
}

}  // namespace

int main() {
  Random random;
  BlockPool blocks(64);
  CipherScratch cipher;
  const Env env{random, blocks, cipher};
  const Now now{};  // time stands still here
  constexpr SessionId session{1};

  MemoryStore store;
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
  const std::string node = NodePrivate::generate(random).public_key().text();
  ClientConfig client_config;
  client_config.host = "control.example.com:80";
  client_config.machine = &machine;
  client_config.server = server_keys.front().open;
  client_config.version = ProtocolVersion{138};
  ClientConnection client(client_config, env, now);

  // The client registers its node, then rings.
  const std::pair<const char*, std::string> requests[] = {
      {"/machine/register", R"({"Version":138,"NodeKey":")" + node +
                                R"(","Auth":{"AuthKey":"let-me-in"},"Hostinfo":{"Hostname":"postman"}})"},
      {"/machine/doorbell/front", R"({"NodeKey":")" + node + R"("})"},
  };
  std::size_t sent = 0;
  std::string answer;
  const auto send_next = [&] {
    if (sent == std::size(requests)) return;
    (void)client.request({"POST", requests[sent].first, {}}, share(requests[sent].second));
    ++sent;
    answer.clear();
  };

  for (bool busy = true; busy;) {
    busy = carry(client, server, now);
    while (auto event = server.next_event()) service.handle(session, *event, now);
    while (auto input = service.next_input()) coordinator.handle(*input, now);
    std::array<StoreEvent, 16> stored;
    while (const std::size_t count = store.poll(stored))
      for (std::size_t i = 0; i < count; ++i) coordinator.on_store(stored[i], now);
    while (auto event = coordinator.next_event()) (void)service.on_event(*event, now);
    while (auto event = service.next_own_event())
      if (const auto* rung = std::get_if<own_event::Request>(&*event)) ring(service, *rung);
    busy |= carry(server, client, now);
    while (auto event = client.next_event()) {
      busy = true;
      if (const auto* data = std::get_if<event::ResponseData>(&*event)) {
        answer += as_text(data->bytes);
        client.release(data->stream, data->bytes.size());
      }
      if (std::holds_alternative<event::Ready>(*event) || std::holds_alternative<event::ResponseEnd>(*event))
        send_next();
      if (std::holds_alternative<event::ResponseEnd>(*event) && sent == std::size(requests))
        busy |= answer.empty();
    }
  }
  std::printf("client: it answers: %s\n", answer.c_str());
  return answer == "postman.ts2021.test is at the front door" ? 0 : 1;
}
