// SPDX-License-Identifier: BSD-3-Clause
// The error record, both sides (HSK-8).
#include <algorithm>

#include "noise/wire.h"
#include "ts2021/noise/handshake.h"

namespace ts2021::noise {
namespace {

// The terminator of the literal makes N one more than the text.
template <std::size_t N>
constexpr auto record_of(const char (&text)[N]) noexcept {
  std::array<std::uint8_t, wire::header_size + N - 1> record{};
  record[0] = wire::error;
  store_u16be(std::span(record).template subspan<1>(), N - 1);
  for (std::size_t i = 0; i + 1 < N; ++i) record[wire::header_size + i] = static_cast<std::uint8_t>(text[i]);
  return record;
}

constexpr auto wrong_size = record_of("wrong handshake initiation size");
constexpr auto wrong_type = record_of("unexpected handshake message type");
constexpr auto wrong_length = record_of("wrong handshake initiation length");

}  // namespace

Bytes error_record(const Error& error) noexcept {
  switch (error.origin) {  // those of Responder::open()
    case 200:
      return wrong_size;
    case 201:
      return wrong_type;
    case 202:
      return wrong_length;
    default:
      return {};
  }
}

std::size_t ResponseReader::feed(Bytes in) noexcept {
  std::size_t taken = 0;
  while (!error_ && taken < in.size() && seen_ < whole_) {
    const std::size_t n = std::min<std::size_t>(whole_ - seen_, in.size() - taken);
    if (seen_ < kept_.size())
      std::copy_n(in.begin() + static_cast<std::ptrdiff_t>(taken), std::min(n, kept_.size() - seen_),
                  kept_.begin() + seen_);
    seen_ += static_cast<std::uint32_t>(n);
    taken += n;
    if (seen_ != wire::header_size || whole_ != wire::header_size) continue;
    // The header is whole: nothing of a body is taken before it is known to be right (HSK-5).
    const std::uint16_t length = load_u16be(std::span(kept_).subspan<1>());
    if (kept_[0] == wire::response && length != response_size - wire::header_size)
      error_ = fail(Errc::bad_message_size, 231, length);
    else if (kept_[0] != wire::response && kept_[0] != wire::error)
      error_ = fail(Errc::bad_message_type, 232, kept_[0]);
    else
      whole_ = static_cast<std::uint32_t>(wire::header_size) + length;
    header_done_ = true;
  }
  if (!error_ && header_done_ && kept_[0] == wire::error && seen_ == whole_)
    error_ = fail(Errc::peer_refused, 233);
  return taken;
}

Result<std::optional<std::array<std::uint8_t, response_size>>> ResponseReader::next() const noexcept {
  if (error_) return *error_;
  if (!header_done_ || seen_ < whole_) return std::optional<std::array<std::uint8_t, response_size>>{};
  std::array<std::uint8_t, response_size> message;
  std::copy_n(kept_.begin(), message.size(), message.begin());
  return std::optional(message);
}

std::string_view ResponseReader::untrusted_text() const noexcept {
  if (!header_done_ || kept_[0] != wire::error) return {};
  return as_text(Bytes(kept_).first(std::min<std::size_t>(seen_, kept_.size())).subspan(wire::header_size));
}

}  // namespace ts2021::noise
