// SPDX-License-Identifier: BSD-3-Clause
// The table of endpoints: one row each, and what a row can be.
#pragma once

#include <memory>
#include <span>

#include "service/boxed.h"
#include "service/call.h"

namespace ts2021::service {

struct Endpoint {
  Site site;
  Method method;
  std::string_view pattern;
  std::size_t max_body;
  void (*call)(Call&);
};

// RouteId of a row is its index.
[[nodiscard]] std::span<const Endpoint> endpoints() noexcept;

// The handler's own signature names the message; decoding follows from it. Bodies that are not that message
// are answered 400 and never reach the handler.
template <auto Handler>
struct Decoded;
template <class Message, void (*Handler)(Call&, std::shared_ptr<const Message>)>
struct Decoded<Handler> {
  static void call(Call& call) { decoded(call, call.request.body); }
  // TS2019: the same message in a box.
  static void call_boxed(Call& call) {
    if (const auto body = open_body(call)) decoded(call, body->json());
  }

 private:
  static void decoded(Call& call, Bytes json) {
    auto message = decode<Message>(json);
    if (!message) return call.reply_text(400, text(message.error().code));
    Handler(call, std::make_shared<const Message>(*std::move(message)));
  }
};

inline constexpr std::size_t max_json_body = 1 << 20;

// Whatever the method: clients send a body with GET too.
template <auto Handler>
constexpr Endpoint json(Site site, Method method, std::string_view pattern) {
  return {site, method, pattern, max_json_body, &Decoded<Handler>::call};
}
template <auto Handler>
constexpr Endpoint noise_post(std::string_view pattern) {
  return json<Handler>(Site::noise, Method::post, pattern);
}
template <auto Handler>
constexpr Endpoint noise_get(std::string_view pattern) {
  return json<Handler>(Site::noise, Method::get, pattern);
}
// TS2019: the machine stands in the path, the message in a box.
template <auto Handler>
constexpr Endpoint boxed_post(std::string_view pattern) {
  return {Site::outer, Method::post, pattern, max_json_body, &Decoded<Handler>::call_boxed};
}
// Without a body that matters.
constexpr Endpoint get(Site site, std::string_view pattern, void (*handler)(Call&)) {
  return {site, Method::get, pattern, 0, handler};
}

}  // namespace ts2021::service
