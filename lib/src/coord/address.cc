// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/coord/address.h"

#include <algorithm>

namespace ts2021 {
namespace {

constexpr std::uint32_t first = (100u << 24) | (64u << 16);
constexpr std::uint32_t last = (100u << 24) | (127u << 16) | 0xffff;
constexpr std::uint32_t count = last - first + 1;
constexpr std::uint32_t chrome_os = (100u << 24) | (115u << 16) | (92u << 8);  // /23
constexpr std::uint32_t resolver = (100u << 24) | (100u << 16) | (100u << 8) | 100;

}  // namespace

std::string Ipv4Address::text() const {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) {
    if (!out.empty()) out += '.';
    out += std::to_string((value >> shift) & 0xff);
  }
  return out;
}

Ipv6Bytes mapped_v6(Ipv4Address v4) noexcept {  // API-30
  Ipv6Bytes out{0xfd, 0x7a, 0x11, 0x5c, 0xa1, 0xe0, 0xab, 0x12, 0x48, 0x43, 0xcd, 0x96, 0x62};
  out[13] = static_cast<std::uint8_t>(v4.value >> 16);
  out[14] = static_cast<std::uint8_t>(v4.value >> 8);
  out[15] = static_cast<std::uint8_t>(v4.value);
  return out;
}

bool is_assignable(Ipv4Address v4) noexcept {  // API-31
  return v4.value > first && v4.value < last && (v4.value & ~0x1ffu) != chrome_os && v4.value != resolver;
}

bool AddressPool::take(Ipv4Address v4) {
  if (taken_.insert(v4.value).second) return true;
  const auto at = std::find(resting_.begin(), resting_.end(), v4.value);
  if (at == resting_.end()) return false;
  resting_.erase(at);
  return true;
}

std::optional<Ipv4Address> AddressPool::allocate(Entropy& entropy) {
  std::array<std::uint8_t, 4> random{};
  entropy.fill(random);
  const std::uint32_t start = ((std::uint32_t{random[0]} << 24) | (std::uint32_t{random[1]} << 16) |
                               (std::uint32_t{random[2]} << 8) | random[3]) %
                              count;
  // Taken addresses are spread by chance, so that a free one is near as long as half of the range is free.
  constexpr std::uint32_t max_steps = 4096;
  for (std::uint32_t step = 0; step < max_steps; ++step) {
    const Ipv4Address v4{first + (start + step) % count};
    if (is_assignable(v4) && taken_.insert(v4.value).second) return v4;
  }
  return std::nullopt;
}

void AddressPool::release(Ipv4Address v4, bool quarantined) {
  if (!quarantined) {
    taken_.erase(v4.value);
    return;
  }
  resting_.push_back(v4.value);  // API-32
  if (resting_.size() <= max_quarantine) return;
  taken_.erase(resting_.front());
  resting_.pop_front();
}

}  // namespace ts2021
