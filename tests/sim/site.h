// SPDX-License-Identifier: BSD-3-Clause
// Requests to a world's endpoints, one exchange each, and machines that make them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/service_world.h"

namespace ts2021::test {

struct SiteAnswer {
  int status = 0;  // 0: none yet
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  [[nodiscard]] std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return {};
  }
};

// A connection and what it asks; the answer may come after further turns of the world.
struct Asker {
  World& world;
  Pair& pair;
  std::map<StreamId, SiteAnswer> answers;

  Asker(World& w, Pair& p) : world(w), pair(p) {
    pair.on_client = [this](const ClientEvent& event) {
      if (const auto* head = std::get_if<event::ResponseHead>(&event)) {
        answers[head->stream].status = head->status;
        for (const Header& header : head->headers)
          answers[head->stream].headers.emplace_back(header.name, header.value);
      } else if (const auto* data = std::get_if<event::ResponseData>(&event)) {
        answers[data->stream].body += string(data->bytes);
      }
      pair.note(event);
    };
    world.run();
  }
  StreamId start(std::string_view method, std::string_view path, std::string_view body = {},
                 std::span<const Header> headers = {}) {
    const auto stream = pair.client().request({method, path, headers}, share(body));
    if (!stream) throw std::runtime_error("request failed");
    world.run();
    return *stream;
  }
  SiteAnswer ask(std::string_view method, std::string_view path, std::string_view body = {},
                 std::span<const Header> headers = {}) {
    return answers[start(method, path, body, headers)];
  }
};

// A machine inside Noise with a node that has logged in; `hostname` names it.
struct Member {
  MachineKeyPair machine;
  NodePublic node;
  Asker site;
  std::uint64_t id = 0;

  Member(World& world, std::uint64_t seed, std::string hostname, std::string_view more_hostinfo = {})
      : machine(key(seed)), node(node_key(seed)), site(world, connect(world, machine)) {
    const SiteAnswer joined =
        site.ask("POST", "/machine/register",
                 R"({"Version":138,"NodeKey":")" + node.text() +
                     R"(","Auth":{"AuthKey":"good-key"},"Hostinfo":{"Hostname":")" + hostname +
                     R"(","OS":"linux")" + std::string(more_hostinfo) + "}}");
    if (joined.status != 200) throw std::runtime_error("not registered: " + joined.body);
    for (const auto& status : world.coordinator.nodes())
      if (status.record->key == node) id = static_cast<std::uint64_t>(status.record->id);
  }
  static MachineKeyPair key(std::uint64_t seed) {
    SeededEntropy entropy(seed * 31 + 7);
    return MachineKeyPair::generate(entropy);
  }
  static NodePublic node_key(std::uint64_t seed) {
    SeededEntropy entropy(seed * 31 + 8);
    return NodePrivate::generate(entropy).public_key();
  }
  static Pair& connect(World& world, const MachineKeyPair& machine) {
    Pair& pair = world.connect();
    pair.client_config.machine = &machine;
    return pair;
  }
  // {"NodeKey":…} and `more`, which begins with a comma.
  [[nodiscard]] std::string body(std::string_view more = {}) const {
    return R"({"NodeKey":")" + node.text() + "\"" + std::string(more) + "}";
  }
  [[nodiscard]] std::string id_text() const { return std::to_string(id); }
};

}  // namespace ts2021::test
