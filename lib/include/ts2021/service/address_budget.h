// SPDX-License-Identifier: BSD-3-Clause
// How many connections one address may open: each may cost a server five scalar multiplications.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "ts2021/base/time.h"

namespace ts2021 {

// Network order; IPv4 as ::ffff:a.b.c.d. Of IPv6 the first 64 bits count: a host has all the rest.
using AddressKey = std::array<std::uint8_t, 16>;

// A token bucket per address, in bounded memory: when the table is full, addresses that have been quiet are
// forgotten, and if there are none, all new ones share one bucket.
class AddressBudget {
 public:
  struct Config {
    double per_second = 50;
    double burst = 250;
    std::size_t max_addresses = 16384;
  };
  explicit AddressBudget(const Config& config) : config_(config) {}

  // Takes one token; false: refuse this connection.
  [[nodiscard]] bool admit(const AddressKey& address, Instant now);
  [[nodiscard]] std::size_t addresses() const noexcept { return buckets_.size(); }

 private:
  struct Bucket {
    double tokens;
    Instant at;
  };
  struct Hash {
    std::size_t operator()(const AddressKey& key) const noexcept;
  };
  [[nodiscard]] bool take(Bucket& bucket, Instant now) const;
  void forget_quiet(Instant now);

  Config config_;
  std::unordered_map<AddressKey, Bucket, Hash> buckets_;
  Bucket shared_{0, {}};
  Instant swept_{};
};

}  // namespace ts2021
