// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/net/fetch_key.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "ts2021/client/node_client.h"
#include "ts2021/net/session.h"

namespace ts2021::app {

ServerKey fetch_key(const ControlUrl& url, const DialOptions& options, Capability capability) {
  ClientConfig config;
  config.mode = ClientMode::http1;
  Session session(url, options, config);
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
      {}, now().mono + options.timeout);
  if (!complete) throw std::runtime_error("/key: no answer: " + std::string(text(why.code)));
  auto key = read_server_key(status, body);
  if (!key)
    throw std::runtime_error("/key: status " + std::to_string(status) + ": " +
                             std::string(text(key.error().code)));
  return *key;
}

}  // namespace ts2021::app
