// SPDX-License-Identifier: BSD-3-Clause
// The phases of a server connection.
//
//   http1 ──upgrade ok──▶ opened ──accept()──▶ records ──error, end, close()──▶ closing ──output empty──▶
//   closed
//    │  ▲                    │ refuse()                        ▲
//    │  └─ Request, answer   └──▶ error record ────────────────┤
//    └─bad head, refused upgrade: short fixed HTTP answer ─────┘
//
//   http1    the outer site: /key, pages, the upgrade; keep-alive, chunked streams, one request at a time
//   opened   the initiation has opened and PeerKnown was given; waits for accept() or refuse()
//   records  101, message 2, early payload and SETTINGS leave in one piece; a WebSocket peer adds a decoder
//   in front closing  input is ignored, output drains until a deadline closed   Closed is the last event;
//   every error that must not send a byte goes here at once
#pragma once

#include <cstdint>

namespace ts2021::conn {

enum class Phase : std::uint8_t { http1, opened, records, closing, closed };

}  // namespace ts2021::conn
