// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/service/address_budget.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace ts2021 {
namespace {

constexpr AddressKey v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

AddressKey bucket_key(const AddressKey& address) noexcept {
  AddressKey key = address;
  if (!std::equal(v4_prefix.begin(), v4_prefix.begin() + 12, key.begin()))
    std::fill(key.begin() + 8, key.end(), 0);
  return key;
}

}  // namespace

std::size_t AddressBudget::Hash::operator()(const AddressKey& key) const noexcept {
  std::uint64_t words[2];
  std::memcpy(words, key.data(), sizeof words);
  std::uint64_t mixed = (words[0] ^ (words[1] * 0x9e3779b97f4a7c15u)) * 0xff51afd7ed558ccdu;
  return static_cast<std::size_t>(mixed ^ (mixed >> 29));
}

bool AddressBudget::take(Bucket& bucket, Instant now) const {
  if (now > bucket.at) {
    const double passed = std::chrono::duration<double>(now - bucket.at).count();
    bucket.tokens = std::min(config_.burst, bucket.tokens + passed * config_.per_second);
    bucket.at = now;
  }
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

void AddressBudget::forget_quiet(Instant now) {
  if (now - swept_ < std::chrono::seconds{1}) return;  // a full table is not searched for every stranger
  swept_ = now;
  const double refill = config_.burst / std::max(config_.per_second, 1e-9);
  std::erase_if(buckets_, [&](const auto& entry) {
    return std::chrono::duration<double>(now - entry.second.at).count() >= refill;
  });
}

bool AddressBudget::admit(const AddressKey& address, Instant now) {
  const AddressKey key = bucket_key(address);
  if (const auto known = buckets_.find(key); known != buckets_.end()) return take(known->second, now);
  if (buckets_.size() >= config_.max_addresses) forget_quiet(now);
  if (buckets_.size() >= config_.max_addresses) return take(shared_, now);
  return take(buckets_.emplace(key, Bucket{config_.burst, now}).first->second, now);
}

}  // namespace ts2021
