// SPDX-License-Identifier: BSD-3-Clause
// The server's keys on disk: files of mode 0600 in a directory of mode 0700.
#pragma once

#include <string>
#include <vector>

#include "ts2021/base/entropy.h"
#include "ts2021/key/key.h"
#include "ts2021/service/token_key.h"

namespace ts2021::app {

struct ServerKeys {
  std::vector<ControlNoisePair> noise;  // newest first, at most 1 + max_old_noise_keys
  ControlBoxPair box;
};
inline constexpr std::size_t max_old_noise_keys = 4;

// Fresh keys that are written nowhere.
[[nodiscard]] ServerKeys make_keys(Entropy& entropy);

// Reads control-noise.keys (one private key a line, newest first) and control-nacl.key from `directory`,
// making what is missing; with `rotate` adds a new Noise key in front. Throws std::runtime_error: unreadable
// file, bad key, or the same key for both protocols (KEY-6).
[[nodiscard]] ServerKeys load_keys(const std::string& directory, bool rotate, Entropy& entropy);

// Reads identity-token.key (PEM) from `directory`, making it when it is missing; without a directory the key
// is fresh and written nowhere. Throws std::runtime_error like load_keys().
[[nodiscard]] TokenKey load_token_key(const std::string& directory);

}  // namespace ts2021::app
