// SPDX-License-Identifier: BSD-3-Clause
// TS2019 around the same handlers: the body is a NaCl box of the machine that the path names.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "service/call.h"
#include "ts2021/base/shared_bytes.h"

namespace ts2021::service {

// Opens the body and makes the session that machine's. The JSON, with decode_padding zero bytes behind it;
// without a value the call has been answered (400, or 501 where TS2019 is off).
struct OpenedBody {
  std::vector<std::uint8_t> padded;
  std::size_t size;
  [[nodiscard]] Bytes json() const noexcept { return Bytes(padded).first(size); }
};
[[nodiscard]] std::optional<OpenedBody> open_body(Call& call);

// An answer as one box, and a map message with its box inside a new size prefix (BOX-5).
[[nodiscard]] SharedBytes seal_answer(const NaclBox& box, Bytes json, Entropy& entropy);
[[nodiscard]] SharedBytes seal_map_message(const NaclBox& box, const std::vector<SharedBytes>& pieces,
                                           Entropy& entropy);

template <auto Handler>
struct Boxed;
template <class Message, void (*Handler)(Call&, std::shared_ptr<const Message>)>
struct Boxed<Handler> {
  static void call(Call& call) {
    const auto body = open_body(call);
    if (!body) return;
    auto message = decode<Message>(body->json());
    if (!message) {
      call.reply_text(400, text(message.error().code));
      return;
    }
    Handler(call, std::make_shared<const Message>(*std::move(message)));
  }
};

}  // namespace ts2021::service
