// SPDX-License-Identifier: BSD-3-Clause
// The client's HTTP/2 session with some requests under way, against any bytes of a server.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "h2/client_session.h"

using namespace ts2021;
using namespace ts2021::h2;

namespace {

void require(bool ok) {
  if (!ok) std::abort();
}

bool take_all(void* self, std::span<const Bytes> pieces) noexcept {
  for (const Bytes piece : pieces)
    for (const std::uint8_t byte : piece) *static_cast<std::uint32_t*>(self) += byte;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ClientLimits limits{
      .stream_window = 100'000, .connection_window = 200'000, .max_header_list = 16 << 10};
  ClientSession session(limits);
  Now now{Instant{std::chrono::seconds{1}}, {}};
  std::uint32_t sum = 0;
  std::size_t unreleased = 0;
  bool ended[16] = {};
  std::optional<Error> error;
  for (int i = 0; i < 8; ++i)
    require(bool(session.request({.authority = "a.example", .path = "/machine/map"}, share("{}"))));
  (void)session.drain_to({&sum, take_all});
  Bytes in(data, size);
  while (!in.empty()) {
    const std::size_t n = std::min<std::size_t>(in.size(), 1 + std::size_t{in[0]} * 7);
    now.mono += std::chrono::milliseconds{100};
    const auto fed = session.feed(in.first(n), now);
    if (error) require(!fed && fed.error() == *error);
    if (!fed) error = fed.error();
    while (const auto event = session.next_event()) {
      if (const auto* head = std::get_if<ClientHead>(&*event)) {
        require(head->status >= 200 && !ended[static_cast<std::size_t>(head->stream)]);
        for (const Header& header : head->headers)
          (void)take_all(&sum, std::array{as_bytes(header.name), as_bytes(header.value)});
      }
      if (const auto* part = std::get_if<ClientData>(&*event)) {
        require(!part->bytes.empty() && !ended[static_cast<std::size_t>(part->stream)]);
        (void)take_all(&sum, std::span(&part->bytes, 1));
        unreleased += part->bytes.size();
        require(unreleased <= limits.connection_window);
        if (part->bytes.size() % 3 != 0) {
          session.release(part->stream, part->bytes.size());
          unreleased -= part->bytes.size();
        } else {
          session.cancel(part->stream);
        }
      }
      if (const auto* end = std::get_if<ClientEnd>(&*event)) {
        require(!ended[static_cast<std::size_t>(end->stream)]);
        ended[static_cast<std::size_t>(end->stream)] = true;
      }
      if (const auto* gone = std::get_if<ClientGone>(&*event)) {
        require(!ended[static_cast<std::size_t>(gone->stream)]);
        ended[static_cast<std::size_t>(gone->stream)] = true;
      }
    }
    const auto drained = session.drain_to({&sum, take_all});
    if (!drained && !error) error = drained.error();
    in = in.subspan(n);
  }
  if (error) require(session.finished());
  return 0;
}
