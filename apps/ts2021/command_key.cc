// SPDX-License-Identifier: BSD-3-Clause
// ts2021 key: GET /key.
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "ts2021/client/node_client.h"
#include "ts2021/commands.h"
#include "ts2021/session.h"

namespace ts2021::app {

ServerKey fetch_key(const std::string& url, Capability capability) {
  ClientConfig config;
  config.mode = ClientMode::http1;
  Session session(parse_url(url), config);
  int status = 0;
  std::vector<std::uint8_t> body;
  Error why{};
  bool complete = false;
  session.run(
      [&](const ClientEvent& event) {
        if (std::holds_alternative<event::Ready>(event)) {
          const std::string path = server_key_path(capability);
          (void)session.connection().request({"GET", path, {}}, nullptr);
        } else if (const auto* head = std::get_if<event::ResponseHead>(&event)) {
          status = head->status;
        } else if (const auto* data = std::get_if<event::ResponseData>(&event)) {
          body.insert(body.end(), data->bytes.begin(), data->bytes.end());
          return body.size() <= (64u << 10);
        } else if (std::holds_alternative<event::ResponseEnd>(event)) {
          complete = true;
          return false;
        } else if (const auto* closed = std::get_if<event::Closed>(&event)) {
          why = closed->why;
        }
        return true;
      },
      {}, now().mono + std::chrono::seconds{10});
  if (!complete) throw std::runtime_error(url + "/key: no answer: " + std::string(text(why.code)));
  auto key = read_server_key(status, body);
  if (!key)
    throw std::runtime_error(url + "/key: status " + std::to_string(status) + ": " +
                             std::string(text(key.error().code)));
  return *key;
}

int run_key(const KeyOptions& options) {
  const auto capability = static_cast<Capability>(options.capability);
  const ServerKey key = fetch_key(options.url, capability);
  if (options.json) {
    std::printf("%s\n", encoded(key, capability).c_str());
  } else {
    std::printf("Noise key (TS2021)  %s\n",
                key.public_key.is_zero() ? "none" : key.public_key.text().c_str());
    std::printf("NaCl key (TS2019)   %s\n",
                key.legacy_public_key.is_zero() ? "none" : key.legacy_public_key.text().c_str());
  }
  return 0;
}

}  // namespace ts2021::app
