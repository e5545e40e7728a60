// SPDX-License-Identifier: BSD-3-Clause
// The hops outside Noise: GET /key, and what is said to an upgrade.
#pragma once

#include <optional>

#include "ts2021/doctor/reach.h"
#include "ts2021/msg/capability.h"
#include "ts2021/msg/server_key.h"
#include "ts2021/node/call.h"

namespace ts2021::app {

inline constexpr std::size_t max_told = 200;  // bytes of a server's text

struct KeyFound {
  Record record;
  ControlNoisePublic key;  // zero: none to be used
};
// Asks twice, since several servers may stand behind one name.
[[nodiscard]] KeyFound ask_key(const Reach& reach, Capability capability);

// Status and headers into the evidence; the body's begin as the text.
void note_answer(const Answer& answer, Record& record);
// An error outside Noise: nothing, silence or nonsense.
void note_error(const Error& error, Record& record);
// What is thrown while dialling. Goes on with other exceptions than those.
void note_exception(Record& record);

// A second upgrade after one that was refused, to read the whole answer, with a handshake that is none. None:
// there is no answer.
[[nodiscard]] std::optional<Answer> ask_why(const Reach& reach, Way way);

}  // namespace ts2021::app
