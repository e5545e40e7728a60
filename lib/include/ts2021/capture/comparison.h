// SPDX-License-Identifier: BSD-3-Clause
// What kind of message it is, apart from what stands in it: by this a replay is compared with its recording.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/base/bytes.h"
#include "ts2021/capture/conversation.h"

namespace ts2021 {

struct MessageKind {
  int status = 0;                    // of an answer; 0: none came
  std::string_view body = "none";    // none, text, bytes, object, list, map
  std::string outcome;               // of a registration: authorized, waits, log in, refused
  std::vector<std::string> members;  // of an object, of a map's first message: names, sorted

  friend bool operator==(const MessageKind&, const MessageKind&) = default;
};

[[nodiscard]] MessageKind kind_of_body(Bytes body);
// `path`: of the request. `message`: the first of a map, empty when none came.
[[nodiscard]] MessageKind kind_of_answer(std::string_view path, int status, Bytes body);
[[nodiscard]] MessageKind kind_of_map(int status, Bytes message);
[[nodiscard]] MessageKind kind_of_answer(const CapturedExchange& exchange);

// One exchange of a replay beside the recorded one.
struct Comparison {
  std::size_t number = 0;  // of the request in the recording, from 1; 0: it is not there
  std::uint64_t session = 0;
  std::string method, path;
  MessageKind recorded, seen;
  std::vector<std::string> differences;  // that a client would notice
  std::vector<std::string> notes;        // members that only one of both has

  // Fills in the differences and the notes.
  void compare();
};
// For people, one line and one more for each difference; as one line of JSON.
[[nodiscard]] std::string text(const Comparison& comparison);
[[nodiscard]] std::string json_text(const Comparison& comparison);

}  // namespace ts2021
