// SPDX-License-Identifier: BSD-3-Clause
// The small values that messages are made of, with their text forms.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"
#include "ts2021/base/time.h"

namespace ts2021 {

// An IPv4 or IPv6 address, or none. An IPv4-mapped IPv6 address stays an IPv6 address.
class IpAddress {
 public:
  enum class Family : std::uint8_t { none, v4, v6 };

  constexpr IpAddress() noexcept = default;
  [[nodiscard]] static IpAddress v4(std::uint32_t host_order) noexcept;
  [[nodiscard]] static IpAddress v6(const std::array<std::uint8_t, 16>& bytes) noexcept;
  // Dotted decimal without leading zeros, or IPv6 as RFC 4291 has it. A zone ("%eth0") is accepted, only that
  // there was one is kept. Error bad_json.
  [[nodiscard]] static Result<IpAddress> parse(std::string_view text) noexcept;

  [[nodiscard]] Family family() const noexcept { return family_; }
  [[nodiscard]] bool is_none() const noexcept { return family_ == Family::none; }
  [[nodiscard]] bool is_v4() const noexcept { return family_ == Family::v4; }
  [[nodiscard]] bool is_v6() const noexcept { return family_ == Family::v6; }
  [[nodiscard]] bool has_zone() const noexcept { return zone_; }
  [[nodiscard]] bool is_link_local() const noexcept;  // fe80::/10, 169.254.0.0/16
  // 4, 16 or 0 bytes in network order.
  [[nodiscard]] Bytes bytes() const noexcept;
  [[nodiscard]] std::string text() const;  // RFC 5952, without zone; empty for none
  // The same to where max_text_size bytes have room; returns the end. So have the other types here.
  static constexpr std::size_t max_text_size = 39;
  char* write_text(char* out) const noexcept;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  Family family_ = Family::none;
  bool zone_ = false;
  std::array<std::uint8_t, 16> bytes_{};  // IPv4: the first four
};

// "100.64.0.1/32", or none.
struct IpPrefix {
  IpAddress address;
  std::uint8_t size = 0;  // bits

  [[nodiscard]] static IpPrefix host(const IpAddress& address) noexcept;  // /32 or /128
  // The "/n" is mandatory; host bits may be set. Empty text is none. Error bad_json.
  [[nodiscard]] static Result<IpPrefix> parse(std::string_view text) noexcept;
  [[nodiscard]] bool is_none() const noexcept { return address.is_none(); }
  [[nodiscard]] bool is_host() const noexcept;
  [[nodiscard]] IpPrefix masked() const noexcept;  // host bits zero
  [[nodiscard]] bool contains(const IpAddress& other) const noexcept;
  [[nodiscard]] std::string text() const;  // empty for none
  static constexpr std::size_t max_text_size = IpAddress::max_text_size + 4;
  char* write_text(char* out) const noexcept;

  friend auto operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

// "192.0.2.1:41641", "[2001:db8::1]:41641", or none.
struct IpPort {
  IpAddress address;
  std::uint16_t port = 0;

  // Empty text is none. Error bad_json.
  [[nodiscard]] static Result<IpPort> parse(std::string_view text) noexcept;
  [[nodiscard]] bool is_none() const noexcept { return address.is_none(); }
  [[nodiscard]] std::string text() const;  // without zone; empty for none
  static constexpr std::size_t max_text_size = IpAddress::max_text_size + 8;
  char* write_text(char* out) const noexcept;

  friend auto operator<=>(const IpPort&, const IpPort&) = default;
};

// RFC 3339 with milliseconds. The zero time, 0001-01-01T00:00:00Z, is "none"; years 0 to 9999.
struct Time {
  static constexpr WallTime zero{std::chrono::milliseconds{-62'135'596'800'000}};
  WallTime at = zero;
  std::uint32_t nanoseconds = 0;  // below the millisecond; only ever written

  constexpr Time() noexcept = default;
  constexpr Time(WallTime wall, std::uint32_t beyond = 0) noexcept : at(wall), nanoseconds(beyond) {}
  // Any offset; fractions are cut to milliseconds. Error bad_json.
  [[nodiscard]] static Result<Time> parse(std::string_view text) noexcept;
  [[nodiscard]] constexpr bool is_zero() const noexcept { return at == zero; }
  [[nodiscard]] std::string text() const;  // UTC, fraction without trailing zeros
  static constexpr std::size_t max_text_size = 30;
  char* write_text(char* out) const noexcept;

  friend constexpr auto operator<=>(const Time&, const Time&) = default;
};

// Absent, or null, is "unknown".
using OptBool = std::optional<bool>;

// Bytes that JSON carries as standard base64 with padding.
struct Blob {
  std::vector<std::uint8_t> bytes;
  // Whole groups of four digits, padding only at the end, unused bits zero. Error bad_json.
  [[nodiscard]] static Result<Blob> parse(std::string_view base64);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool empty() const noexcept { return bytes.empty(); }
  friend bool operator==(const Blob&, const Blob&) = default;
};

// One JSON value as text without needless spaces and escapes; always valid, or empty for "absent".
class RawJson {
 public:
  RawJson() = default;
  // Validates and minifies; copies. Error bad_json.
  [[nodiscard]] static Result<RawJson> parse(std::string_view text);
  // Precondition: `text` is one valid JSON value, as this library's encode() writes it.
  [[nodiscard]] static RawJson trusted(std::string text) {
    RawJson raw;
    raw.text_ = std::move(text);
    return raw;
  }
  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  friend bool operator==(const RawJson&, const RawJson&) = default;

 private:
  std::string text_;
};

// Capability → values, for nodes and for grants; most have no value.
using CapMap = std::map<std::string, std::vector<RawJson>>;

}  // namespace ts2021
