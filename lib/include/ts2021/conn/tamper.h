// SPDX-License-Identifier: BSD-3-Clause
// What a server for tests does to the plaintext of one connection. An honest server has none of it.
#pragma once

#include "ts2021/base/bytes.h"
#include "ts2021/base/time.h"

namespace ts2021 {

// Views that are returned live until the next call.
class Tamper {
 public:
  // What is sealed in front of HTTP/2; `honest` is header and payload, or empty. Not for WebSocket peers.
  [[nodiscard]] virtual Bytes early_payload(Bytes honest) = 0;
  // Frames that go in front of the one that begins with these 9 bytes.
  [[nodiscard]] virtual Bytes before_frame(Bytes head) = 0;
  // Frames whose time has come.
  [[nodiscard]] virtual Bytes due_frames(Instant now) = 0;
  // What the connection gets of the peer's plaintext: without what answers frames that it knows nothing of.
  [[nodiscard]] virtual MutableBytes received(MutableBytes plaintext) = 0;

 protected:
  ~Tamper() = default;
};

}  // namespace ts2021
