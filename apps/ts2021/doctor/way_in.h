// SPDX-License-Identifier: BSD-3-Clause
// The hops of one way in: upgrade, Noise, early payload, HTTP/2.
#pragma once

#include <memory>
#include <vector>

#include "ts2021/doctor/reach.h"
#include "ts2021/key/key.h"
#include "ts2021/net/session.h"

namespace ts2021::app {

// A zero key: none is known. Then only the upgrade is tried, with a key made up for it.
struct Identity {
  const MachineKeyPair& machine;
  ControlNoisePublic server;
  ProtocolVersion version;
};

[[nodiscard]] std::vector<Record> walk_in(const Reach& reach, Way way, const Identity& identity);

// A session on a way that has been walked. Throws what Reach::dial() does.
[[nodiscard]] std::unique_ptr<Session> open_session(const Reach& reach, Way way, const Identity& identity,
                                                    Tracer* tracer = nullptr);

// An error inside Noise.
[[nodiscard]] What inside(const Error& error) noexcept;

}  // namespace ts2021::app
