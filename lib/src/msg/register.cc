// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/register.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(RegisterRequest);
TS_MESSAGE_READ(RegisterResponse);

// API-67: Rust takes MachineAuthorized for success whatever else is there.
template <>
void encode(const RegisterResponse& message, Capability viewer, std::string& out) {
  RegisterResponse consistent = message;
  if (!message.error.empty() || !message.auth_url.empty()) consistent.machine_authorized = false;
  json::Writer writer(out);
  codec::write_message(consistent, viewer, writer);
}

}  // namespace ts2021
