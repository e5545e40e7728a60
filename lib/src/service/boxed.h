// SPDX-License-Identifier: BSD-3-Clause
// TS2019 around the same handlers: the body is a NaCl box of the machine that the path names.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "service/call.h"

namespace ts2021::service {

// Opens the body and makes the session that machine's. The JSON, with decode_padding zero bytes behind it;
// without a value the call has been answered: 400, 429 where the connection names too many machines, or 501
// where TS2019 is off.
struct OpenedBody {
  std::vector<std::uint8_t> padded;
  std::size_t size = 0;
  [[nodiscard]] Bytes json() const noexcept { return Bytes(padded).first(size); }
};
[[nodiscard]] std::optional<OpenedBody> open_body(Call& call);

// A map message with its box inside a new size prefix (BOX-5).
[[nodiscard]] SharedBytes seal_map_message(const NaclBox& box, const std::vector<SharedBytes>& pieces,
                                           Entropy& entropy);

}  // namespace ts2021::service
