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
  static void call(Call& call) {
    auto message = decode<Message>(call.request.body);
    if (!message) {
      call.reply_text(400, text(message.error().code));
      return;
    }
    Handler(call, std::make_shared<const Message>(*std::move(message)));
  }
};

inline constexpr std::size_t max_json_body = 1 << 20;

template <auto Handler>
constexpr Endpoint noise_post(std::string_view pattern) {
  return {Site::noise, Method::post, pattern, max_json_body, &Decoded<Handler>::call};
}

// TS2019: the machine stands in the path, the message in a box.
template <auto Handler>
constexpr Endpoint boxed_post(std::string_view pattern) {
  return {Site::outer, Method::post, pattern, max_json_body, &Boxed<Handler>::call};
}

}  // namespace ts2021::service
