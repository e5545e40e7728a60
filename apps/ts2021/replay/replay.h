// SPDX-License-Identifier: BSD-3-Clause
// What both sides of a replay share: the recording, what is another one now, and the report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "common/clock.h"
#include "ts2021/capture/comparison.h"
#include "ts2021/capture/conversation.h"
#include "ts2021/capture/translation.h"
#include "ts2021/net/target.h"

namespace ts2021::app {

struct ReplayOptions {
  std::string capture;        // path
  Target target;              // a server, to which the client's side is played; or
  std::string listen;         // address:port, where the server's side is played
  std::string auth_key;       // in the place of the recorded ones; empty: as they were
  std::uint64_t session = 0;  // only this one; 0: all
  double patience = 10;       // seconds for an answer
  bool timed = false;         // requests and answers at their recorded times; else as soon as it makes sense
  bool once = false;          // listen: end when everything recorded has been asked
  bool json = false;
};

// One line for each exchange, as it is over, and a last one that counts them.
class ReplayReport {
 public:
  explicit ReplayReport(bool json) : json_(json) {}
  void add(Comparison comparison);  // compares
  void never_asked(const CapturedExchange& exchange);
  // Prints the sum; the exit code: 0 when all is the same, 3 when something differs.
  [[nodiscard]] int finish() const;

 private:
  bool json_;
  std::size_t same_ = 0, different_ = 0, never_asked_ = 0;
};

// Plays the requests to a server.
[[nodiscard]] int replay_client(const ReplayOptions& options, const Conversation& conversation);
// Plays the answers to whoever connects.
[[nodiscard]] int replay_server(const ReplayOptions& options, const Conversation& conversation);

[[nodiscard]] Conversation load_conversation(const std::string& path);

// Headers of the recording that are sent again; views into the strings of `kept`.
[[nodiscard]] std::vector<Header> headers_to_send(const CaptureLine& line, Translation& translation,
                                                  Entropy* fresh, std::vector<std::string>& kept);

}  // namespace ts2021::app
