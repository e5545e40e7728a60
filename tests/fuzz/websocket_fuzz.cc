// SPDX-License-Identifier: BSD-3-Clause
// WebSocket frames. Byte 0: bit 0 the role, the rest the size of the parts, on which nothing may depend.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "fuzz/fuzz.h"
#include "ts2021/entry/websocket.h"

using namespace ts2021;
using namespace ts2021::entry;

namespace {

std::string run(Bytes input, std::size_t part, WebSocket::Role role) {
  fuzz::SameEntropy entropy;
  BlockPool pool(8);
  ByteQueue out(pool, 64 << 10);
  WebSocket socket(role, entropy);
  std::string payload, end;
  std::size_t received = 0;
  for (; !input.empty(); input = input.subspan(std::min(part, input.size()))) {
    const Bytes now = input.first(std::min(part, input.size()));
    received += now.size();
    const auto fed = socket.feed(now);
    for (MutableBytes bytes = socket.next(); !bytes.empty(); bytes = socket.next()) payload += as_text(bytes);
    TS_EXPECT(payload.size() <= received);
    if (fed) continue;
    end = " error " + std::to_string(fed.error().origin);
    TS_EXPECT(socket.close_pending());
    TS_EXPECT(socket.feed(now).error() == fed.error());
    break;
  }
  if (socket.peer_closed()) end += " closed";
  socket.fill(out);
  TS_EXPECT(!socket.close_pending());
  // At most the newest pong and one close frame, each with its head.
  TS_EXPECT(out.size() <= 2 * (125 + 6));
  std::array<Bytes, 4> pieces;
  const std::size_t count = out.gather(pieces);
  std::string answer;
  for (std::size_t i = 0; i < count; ++i) answer += as_text(pieces[i]);
  TS_EXPECT(socket.append(Bytes{}, out));
  return payload + end + answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto role = (data[0] & 1) != 0 ? WebSocket::Role::client : WebSocket::Role::server;
  const Bytes input(data + 1, size - 1);
  TS_EXPECT(run(input, size, role) == run(input, 1 + (data[0] >> 1), role));
  return 0;
}
