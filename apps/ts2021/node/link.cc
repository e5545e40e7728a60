// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/node/link.h"

#include <map>
#include <stdexcept>
#include <utility>

#include "ts2021/net/fetch_key.h"

namespace ts2021::app {

const char* name(Protocol protocol) noexcept { return protocol == Protocol::ts2019 ? "TS2019" : "TS2021"; }

void add_node_target(CLI::App& command, NodeTarget& target) {
  add_target(command, target);
  static const std::map<std::string, Protocol> protocols{{"ts2019", Protocol::ts2019},
                                                         {"ts2021", Protocol::ts2021}};
  command
      .add_option("--protocol", target.protocol, "ts2021 or ts2019; by default what the server has a key for")
      ->transform(CLI::CheckedTransformer(protocols, CLI::ignore_case))
      ->option_text("ts2021|ts2019");
  command.add_flag("--websocket", target.websocket, "upgrade as browsers do");
  command.add_option("--state", target.state,
                     "file that keeps the node's keys; without it they are new every time");
  command.parse_complete_callback([&command, &target] {
    if (target.protocol == Protocol::ts2019 && command.get_option("--capability")->count() == 0)
      target.capability = last_boxed_capability;
  });
}

NodeLink::NodeLink(const NodeTarget& target, const MachineKeyPair& machine)
    : target_(target),
      machine_(machine),
      key_(fetch_key(target.control(), target.dialing(), target.version())),
      capability_(target.version()) {
  const bool noise = !key_.public_key.is_zero(), boxes = !key_.legacy_public_key.is_zero();
  protocol_ = target.protocol ? *target.protocol : noise ? Protocol::ts2021 : Protocol::ts2019;
  if (protocol_ == Protocol::ts2021) {
    if (!noise) throw std::runtime_error("control server is too old; no Noise key");
    return;
  }
  if (!boxes)
    throw std::runtime_error("the server has no NaCl key for version " + std::to_string(target.capability) +
                             ": it does not speak TS2019");
  if (target.websocket) throw std::runtime_error("--websocket is for TS2021");
  auto envelope = Envelope::boxed(machine, key_.legacy_public_key);
  if (!envelope)
    throw std::runtime_error("the server's NaCl key: " + std::string(text(envelope.error().code)));
  envelope_ = *std::move(envelope);
}

std::unique_ptr<Session> NodeLink::another_session() const {
  ClientConfig config;
  config.mode = protocol_ == Protocol::ts2019 ? ClientMode::http1
                : target_.websocket           ? ClientMode::noise_websocket
                                              : ClientMode::noise;
  config.machine = &machine_;
  config.server = key_.public_key;
  config.version = static_cast<ProtocolVersion>(capability_);
  return std::make_unique<Session>(target_.control(), target_.dialing(), std::move(config));
}

Session& NodeLink::session() {
  if (!session_ || session_->closed()) session_ = another_session();
  return *session_;
}

Answer NodeLink::call(Call call, const CallLimits& limits, const Session::OnEvent& others) {
  const auto path = envelope_.path(call.path);
  if (!path || !envelope_.is_boxed()) return app::call(session(), call, limits, others);
  call.path = *path;
  SystemEntropy entropy;
  const auto sealed = envelope_.seal(as_bytes(call.body), entropy);
  if (!sealed) throw CallError(sealed.error());
  call.body.assign(as_text(**sealed));
  Answer answer = app::call(session(), call, limits, others);
  if (same_token(answer.header("connection"), "close")) session_.reset();
  if (answer.status != 200) return answer;
  const auto opened = envelope_.open(answer.body);
  if (!opened) throw CallError(opened.error());
  answer.body = std::vector<std::uint8_t>(opened->begin(), opened->end());
  return answer;
}

}  // namespace ts2021::app
