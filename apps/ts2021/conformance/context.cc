// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/conformance/context.h"

#include <algorithm>
#include <thread>

#include "entry/base64.h"
#include "ts2021/client/node_client.h"
#include "ts2021/conformance/websocket_peer.h"
#include "ts2021/noise/handshake.h"

namespace ts2021::app::conformance {

Context::Context(Plan plan)
    : plan_(std::move(plan)),
      patience_{plan_.dial.timeout, std::min(plan_.dial.timeout, std::chrono::milliseconds(2'000))},
      stranger_(MachineKeyPair::generate(entropy_)) {}

void Context::pace() {
  ++paced_;
  const Instant time = now().mono;
  if (time < next_turn_) std::this_thread::sleep_for(next_turn_ - time);
  next_turn_ =
      std::max(time, next_turn_) + std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / plan_.rate));
}

RawConnection Context::connect() {
  pace();
  return {dial(plan_.url, plan_.dial), patience_, traffic_};
}

Exchange Context::ask(std::string_view request) {
  RawConnection connection = connect();
  connection.send(request);
  Exchange exchange{read_answer(connection), {}};
  if (exchange.answer.header("connection") == "close") connection.read_to_end();
  exchange.state = connection.state();
  return exchange;
}

const ServerKey& Context::keys() {
  if (keys_) return *keys_;
  const Exchange got = ask("GET " + server_key_path(plan_.version) + " HTTP/1.1\r\nHost: " + host() +
                           "\r\nUser-Agent: Go-http-client/1.1\r\n\r\n");
  const auto read = read_server_key(got.answer.status, as_bytes(got.answer.body));
  if (!read) throw Obstacle("GET /key: " + got.answer.told());
  keys_ = *read;
  return *keys_;
}

const ControlNoisePublic& Context::noise_key() {
  const ControlNoisePublic& key = keys().public_key;
  if (key.is_zero()) throw Obstacle("the server has no Noise key");
  return key;
}

ControlBoxPublic Context::box_key() {
  if (!keys().legacy_public_key.is_zero()) return keys().legacy_public_key;
  const Exchange got = ask("GET /key HTTP/1.1\r\nHost: " + host() + "\r\n\r\n");
  const auto key = ControlBoxPublic::parse_bare(got.answer.body);
  return got.answer.status == 200 && key ? *key : ControlBoxPublic{};
}

std::string upgrade_request(std::string_view host, Bytes initiation) {
  return "POST /ts2021 HTTP/1.1\r\nHost: " + std::string(host) +
         "\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: 0\r\nConnection: upgrade\r\n"
         "Upgrade: tailscale-control-protocol\r\nX-Tailscale-Handshake: " +
         entry::base64_encode(initiation) + "\r\n\r\n";
}

std::vector<std::uint8_t> read_response(RawConnection& connection) {
  connection.read_at_least(noise::response_size);
  return connection.take(noise::response_size);
}

RecordStream Context::open_noise(ProtocolVersion version, const MachineKeyPair& machine) {
  Initiation initiation(entropy_, machine, noise_key(), version);
  RawConnection connection = connect();
  connection.send(upgrade_request(host(), initiation.message));
  const HttpAnswer answer = read_answer(connection);
  if (answer.status != 101) throw Obstacle("a good upgrade got " + answer.told());
  const auto response = read_response(connection);
  const auto keys = initiation.finish(response);
  if (!keys)
    throw Obstacle("HSK-5: behind the 101 " + std::to_string(response.size()) +
                   " bytes that are no message 2 of this key; connection " + connection.state());
  return {std::move(connection), *keys};
}

Http2Peer Context::open_http2(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings) {
  Http2Peer peer(open_noise());
  peer.read_greeting();
  peer.send_preface(settings);
  return peer;
}

Life Context::life() {
  Life life;
  const std::optional<ServerKey> before = keys_;
  for (int attempt = 0;; ++attempt) try {
      if (keys().public_key.is_zero()) {
        const Exchange got = ask("GET /key HTTP/1.1\r\nHost: " + host() + "\r\n\r\n");
        if (got.answer.status != 200) throw Obstacle("GET /key got " + got.answer.told());
      } else {
        (void)open_noise();
      }
      life.gone.clear();
      break;
    } catch (const std::runtime_error& error) {
      life.gone = error.what();
      life.restarted = life.restarted || dynamic_cast<const DialError*>(&error) != nullptr;
      if (attempt == 4) return life;
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
      keys_.reset();
    }
  life.restarted = life.restarted || (before && before != keys_);
  if (life.restarted) {
    joined_.clear();
    for (TestNode& node : nodes_) node.registered.reset();
  }
  return life;
}

bool Context::takes_websocket() {
  if (!websocket_) {
    Initiation good = initiation();
    RawConnection connection = connect();
    connection.send(websocket_request(*this, good.message));
    websocket_ = read_answer(connection).status == 101;
  }
  return *websocket_;
}

TestNode& Context::fresh_node() {
  TestNode& node = nodes_.emplace_back();
  node.machine = MachineKeyPair::generate(entropy_);
  node.node = NodePrivate::generate(entropy_);
  node.disco = DiscoPrivate::generate(entropy_);
  node.hostname = "conformance-" + std::to_string(nodes_.size());
  return node;
}

RegisterRequest Context::register_request(const TestNode& node, bool with_auth_key) const {
  RegisterRequest request;
  request.version = plan_.version;
  request.node_key = node.node.public_key();
  request.ephemeral = true;
  if (with_auth_key && !plan_.auth_key.empty()) request.auth.emplace().auth_key = plan_.auth_key;
  Hostinfo& host = request.hostinfo.emplace();
  host.hostname = node.hostname;
  host.os = "linux";
  host.ipn_version = "ts2021-" TS2021_VERSION;
  host.backend_log_id = "ts2021";
  return request;
}

MapRequest Context::map_request(const TestNode& node) const {
  MapRequest request;
  request.version = plan_.version;
  request.node_key = node.node.public_key();
  request.disco_key = node.disco.public_key();
  request.keep_alive = true;
  request.hostinfo = register_request(node).hostinfo;
  return request;
}

Answer Context::call(TestNode& node, Call call) {
  if (!node.session || node.session->closed()) {
    pace();
    ClientConfig config;
    config.machine = &node.machine;
    config.server = noise_key();
    config.version = version();
    node.session = std::make_unique<Session>(plan_.url, plan_.dial, config);
  }
  pace();
  return app::call(*node.session, call, {4 << 20, patience_.answer});
}

Answer Context::send_register(TestNode& node, const RegisterRequest& request) {
  Answer answer = call(node, {.path = "/machine/register", .body = encoded(request, plan_.version)});
  const auto response = decode_copy<RegisterResponse>(answer.body);
  if (answer.status == 200 && response && response->error.empty() && response->auth_url.empty() &&
      !response->node_key_expired && request.expiry.is_zero()) {
    node.registered = *response;
    node.registered_json = answer.text();
  }
  return answer;
}

TestNode& Context::joined(std::size_t index) {
  while (joined_.size() <= index) {
    if (!why_none_.empty()) throw Obstacle(why_none_);
    TestNode& node = fresh_node();
    try {
      const Answer answer = send_register(node, register_request(node));
      if (!node.registered)
        why_none_ = "no node gets in: status " + std::to_string(answer.status) + " " +
                    printable(answer.text(), 160) + (plan_.auth_key.empty() ? " (give an --auth-key)" : "");
    } catch (const std::runtime_error& error) {
      why_none_ = std::string("no node gets in: ") + error.what();
    }
    if (node.registered) joined_.push_back(&node);
  }
  return *joined_[index];
}

std::vector<std::string> Context::log_out() {
  std::vector<std::string> left;
  for (TestNode& node : nodes_) {
    if (!node.registered) continue;
    RegisterRequest request = register_request(node, false);
    request.expiry = Time(WallTime(std::chrono::seconds(123)));
    try {
      if (send_register(node, request).status != 200) left.push_back(node.hostname);
    } catch (const std::runtime_error&) {
      left.push_back(node.hostname);
    }
  }
  return left;
}

}  // namespace ts2021::app::conformance
