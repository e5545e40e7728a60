// SPDX-License-Identifier: BSD-3-Clause
// What each hop's failure means; the parts of diagnose().
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ts2021/doctor/ailment.h"
#include "ts2021/doctor/record.h"

namespace ts2021::app {

struct Finding {
  Ailment ailment = ailment::good;
  std::vector<std::string> causes{};
  std::string advice{};
};

// The first record of a hop, or null.
[[nodiscard]] const Record* find(std::span<const Record> walk, Hop hop, std::optional<Way> way = {}) noexcept;
[[nodiscard]] bool works(std::span<const Record> walk, Hop hop, Way way) noexcept;

[[nodiscard]] inline bool is_one_of(What what, std::initializer_list<What> of) noexcept {
  return std::find(of.begin(), of.end(), what) != of.end();
}

// What an HTTP status means wherever it comes; none: it depends. `inside`: Noise, so that the server itself
// has said it.
[[nodiscard]] std::optional<Finding> of_status(const Record& at, bool inside);

[[nodiscard]] Finding http2_only();

[[nodiscard]] Finding of_key(const Record& at, std::span<const Record> walk);
[[nodiscard]] Finding of_upgrade(const Record& at, std::span<const Record> walk);
[[nodiscard]] Finding of_handshake(const Record& at, std::span<const Record> walk);  // noise, early, http2
[[nodiscard]] Finding of_register(const Record& at);
[[nodiscard]] Finding of_map(const Record& at);
[[nodiscard]] Finding of_keep_alive(const Record& at);

}  // namespace ts2021::app
