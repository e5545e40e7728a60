// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/primitives.h"

#include <algorithm>
#include <charconv>

#include "json/reader.h"
#include "json/writer.h"
#include "msg/base64.h"

namespace ts2021 {
namespace {

// At most `max_digits` decimal digits and nothing else; leading zeros only where `zeros` allows them.
template <class T>
bool parse_decimal(std::string_view text, std::size_t max_digits, bool zeros, T& out) noexcept {
  if (text.empty() || text.size() > max_digits) return false;
  if (!zeros && text.size() > 1 && text[0] == '0') return false;
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

bool parse_v4(std::string_view text, std::uint8_t* out) noexcept {
  for (int i = 0; i < 4; ++i) {
    const std::size_t dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos || !parse_decimal(text.substr(0, dot), 3, false, out[i])) return false;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return text.empty();
}

bool parse_group(std::string_view text, std::uint8_t* out) noexcept {
  if (text.empty() || text.size() > 4) return false;
  std::uint16_t group = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), group, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return false;
  out[0] = static_cast<std::uint8_t>(group >> 8);
  out[1] = static_cast<std::uint8_t>(group);
  return true;
}

// Groups between colons, the last of which may be an IPv4 address. Returns how many bytes, or npos.
std::size_t parse_groups(std::string_view text, std::uint8_t (&out)[16]) noexcept {
  std::size_t size = 0;
  if (text.empty()) return 0;
  for (;;) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
      if (size > 12 || !parse_v4(group, out + size)) return std::string_view::npos;
      return size + 4;
    }
    if (size > 14 || !parse_group(group, out + size)) return std::string_view::npos;
    size += 2;
    if (colon == std::string_view::npos) return size;
    text.remove_prefix(colon + 1);
  }
}

bool parse_v6(std::string_view text, std::array<std::uint8_t, 16>& out) noexcept {
  std::uint8_t head[16]{}, tail[16]{};
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (parse_groups(text, head) != 16) return false;
    std::copy_n(head, 16, out.begin());
    return true;
  }
  const std::string_view before = text.substr(0, gap), after = text.substr(gap + 2);
  if (before.find('.') != std::string_view::npos) return false;
  const std::size_t head_size = parse_groups(before, head), tail_size = parse_groups(after, tail);
  if (head_size == std::string_view::npos || tail_size == std::string_view::npos) return false;
  if (head_size + tail_size > 14) return false;  // the gap stands for one group at least
  out.fill(0);
  std::copy_n(head, head_size, out.begin());
  std::copy_n(tail, tail_size, out.end() - static_cast<std::ptrdiff_t>(tail_size));
  return true;
}

char* append(std::string_view text, char* out) noexcept { return std::copy(text.begin(), text.end(), out); }

char* write_v4(const std::uint8_t* bytes, char* out) noexcept {
  for (int i = 0; i < 4; ++i) {
    if (i != 0) *out++ = '.';
    out = std::to_chars(out, out + 3, bytes[i]).ptr;
  }
  return out;
}

template <std::size_t Width>
char* write_digits(unsigned value, char* out) noexcept {
  for (std::size_t i = Width; i-- > 0; value /= 10) out[i] = static_cast<char>('0' + value % 10);
  return out + Width;
}

template <class T>
std::string text_of(const T& value) {
  std::array<char, T::max_text_size> text;
  return {text.data(), value.write_text(text.data())};
}

}  // namespace

IpAddress IpAddress::v4(std::uint32_t host_order) noexcept {
  IpAddress address;
  address.family_ = Family::v4;
  store_u32be(MutableBytes(address.bytes_).first(4), host_order);
  return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes) noexcept {
  IpAddress address;
  address.family_ = Family::v6;
  address.bytes_ = bytes;
  return address;
}

Result<IpAddress> IpAddress::parse(std::string_view text) noexcept {
  IpAddress address;
  if (text.find(':') == std::string_view::npos) {
    if (!parse_v4(text, address.bytes_.data())) return fail(Errc::bad_json, 802);
    address.family_ = Family::v4;
    return address;
  }
  if (const std::size_t percent = text.find('%'); percent != std::string_view::npos) {
    if (percent + 1 == text.size()) return fail(Errc::bad_json, 803);
    address.zone_ = true;
    text = text.substr(0, percent);
  }
  if (!parse_v6(text, address.bytes_)) return fail(Errc::bad_json, 804);
  address.family_ = Family::v6;
  return address;
}

bool IpAddress::is_link_local() const noexcept {
  if (is_v4()) return bytes_[0] == 169 && bytes_[1] == 254;
  return is_v6() && bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

Bytes IpAddress::bytes() const noexcept { return Bytes(bytes_).first(is_v4() ? 4 : is_v6() ? 16 : 0); }

char* IpAddress::write_text(char* out) const noexcept {
  if (is_none()) return out;
  if (is_v4()) return write_v4(bytes_.data(), out);
  std::array<unsigned, 8> groups;
  for (std::size_t i = 0; i < groups.size(); ++i)
    groups[i] = static_cast<unsigned>(bytes_[2 * i] << 8 | bytes_[2 * i + 1]);
  if (std::all_of(groups.begin(), groups.begin() + 5, [](unsigned group) { return group == 0; }) &&
      groups[5] == 0xffff)
    return write_v4(bytes_.data() + 12, append("::ffff:", out));
  // The longest run of two or more zero groups becomes "::"; the first one of equals.
  std::size_t gap = 8, gap_size = 1;
  for (std::size_t from = 0; from < 8; ++from) {
    std::size_t size = 0;
    while (from + size < 8 && groups[from + size] == 0) ++size;
    if (size > gap_size) {
      gap = from;
      gap_size = size;
    }
  }
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == gap) {
      out = append("::", out);
      i += gap_size - 1;
      continue;
    }
    if (i != 0 && i != gap + gap_size) *out++ = ':';
    out = std::to_chars(out, out + 4, groups[i], 16).ptr;
  }
  return out;
}

std::string IpAddress::text() const { return text_of(*this); }

IpPrefix IpPrefix::host(const IpAddress& address) noexcept {
  return {address, static_cast<std::uint8_t>(address.bytes().size() * 8)};
}

Result<IpPrefix> IpPrefix::parse(std::string_view text) noexcept {
  IpPrefix prefix;
  if (text.empty()) return prefix;
  const std::size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return fail(Errc::bad_json, 805);
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return address.error();
  if (address->has_zone()) return fail(Errc::bad_json, 806);
  prefix.address = *address;
  if (!parse_decimal(text.substr(slash + 1), 3, false, prefix.size) ||
      prefix.size > prefix.address.bytes().size() * 8)
    return fail(Errc::bad_json, 807);
  return prefix;
}

bool IpPrefix::is_host() const noexcept { return !is_none() && size == address.bytes().size() * 8; }

IpPrefix IpPrefix::masked() const noexcept {
  std::array<std::uint8_t, 16> bytes{};
  const Bytes from = address.bytes();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::size_t kept = size > 8 * i ? std::min<std::size_t>(8, size - 8 * i) : 0;
    bytes[i] = static_cast<std::uint8_t>(from[i] & (0xff00u >> kept));
  }
  if (address.is_v4()) return {IpAddress::v4(load_u32be(bytes)), size};
  if (address.is_v6()) return {IpAddress::v6(bytes), size};
  return {};
}

bool IpPrefix::contains(const IpAddress& other) const noexcept {
  return !is_none() && other.family() == address.family() && IpPrefix{other, size}.masked() == masked();
}

char* IpPrefix::write_text(char* out) const noexcept {
  if (is_none()) return out;
  out = address.write_text(out);
  *out++ = '/';
  return std::to_chars(out, out + 3, size).ptr;
}

std::string IpPrefix::text() const { return text_of(*this); }

Result<IpPort> IpPort::parse(std::string_view text) noexcept {
  IpPort endpoint;
  if (text.empty()) return endpoint;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(Errc::bad_json, 808);
  std::string_view host = text.substr(0, colon);
  const bool brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  if (!address) return address.error();
  if (address->is_v6() != brackets) return fail(Errc::bad_json, 809);
  endpoint.address = *address;
  if (!parse_decimal(text.substr(colon + 1), 5, false, endpoint.port)) return fail(Errc::bad_json, 810);
  return endpoint;
}

char* IpPort::write_text(char* out) const noexcept {
  if (is_none()) return out;
  if (address.is_v6()) *out++ = '[';
  out = address.write_text(out);
  if (address.is_v6()) *out++ = ']';
  *out++ = ':';
  return std::to_chars(out, out + 5, port).ptr;
}

std::string IpPort::text() const { return text_of(*this); }

Result<Time> Time::parse(std::string_view text) noexcept {
  namespace chrono = std::chrono;
  // 0123-56-89T12:45:78
  constexpr std::size_t fixed = 19;
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const auto number = [&](std::size_t from, std::size_t size, unsigned& out) {
    return parse_decimal(text.substr(from, size), size, true, out);
  };
  if (text.size() < fixed + 1 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':' || !number(0, 4, year) || !number(5, 2, month) || !number(8, 2, day) ||
      !number(11, 2, hour) || !number(14, 2, minute) || !number(17, 2, second))
    return fail(Errc::bad_json, 811);
  const chrono::year_month_day date{chrono::year(static_cast<int>(year)), chrono::month(month),
                                    chrono::day(day)};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return fail(Errc::bad_json, 812);

  std::string_view rest = text.substr(fixed);
  int milliseconds = 0;
  if (rest[0] == '.') {
    std::size_t digits = 0;
    while (digits + 1 < rest.size() && rest[digits + 1] >= '0' && rest[digits + 1] <= '9') ++digits;
    if (digits == 0) return fail(Errc::bad_json, 813);
    for (std::size_t i = 0; i < 3; ++i)
      milliseconds = milliseconds * 10 + (i < digits ? rest[i + 1] - '0' : 0);
    rest.remove_prefix(digits + 1);
  }
  chrono::minutes offset{0};
  if (rest != "Z") {
    unsigned hours = 0, minutes = 0;
    if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' ||
        !parse_decimal(rest.substr(1, 2), 2, true, hours) ||
        !parse_decimal(rest.substr(4, 2), 2, true, minutes) || hours > 23 || minutes > 59)
      return fail(Errc::bad_json, 814);
    offset = chrono::minutes{60 * hours + minutes};
    if (rest[0] == '-') offset = -offset;
  }
  return Time{chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) +
              chrono::seconds(second) + chrono::milliseconds(milliseconds) - offset};
}

char* Time::write_text(char* out) const noexcept {
  namespace chrono = std::chrono;
  constexpr WallTime first = chrono::sys_days(chrono::year(0) / 1 / 1);
  constexpr WallTime last =
      chrono::sys_days(chrono::year(9999) / 12 / 31) + chrono::days(1) - chrono::milliseconds(1);
  const WallTime clamped = std::clamp(at, first, last);
  const auto day = chrono::floor<chrono::days>(clamped);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss time(clamped - day);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  out = write_digits<4>(year, out);
  *out++ = '-';
  out = write_digits<2>(static_cast<unsigned>(date.month()), out);
  *out++ = '-';
  out = write_digits<2>(static_cast<unsigned>(date.day()), out);
  *out++ = 'T';
  out = write_digits<2>(static_cast<unsigned>(time.hours().count()), out);
  *out++ = ':';
  out = write_digits<2>(static_cast<unsigned>(time.minutes().count()), out);
  *out++ = ':';
  out = write_digits<2>(static_cast<unsigned>(time.seconds().count()), out);
  if (const auto fraction = time.subseconds().count(); fraction != 0 || nanoseconds != 0) {
    *out++ = '.';
    out = write_digits<3>(static_cast<unsigned>(fraction), out);
    out = write_digits<6>(nanoseconds % 1'000'000, out);
    while (out[-1] == '0') --out;
  }
  *out++ = 'Z';
  return out;
}

std::string Time::text() const { return text_of(*this); }

Result<Blob> Blob::parse(std::string_view base64) {
  Blob blob;
  if (!parse_base64(base64, blob.bytes)) return fail(Errc::bad_json, 840);
  return blob;
}

std::string Blob::text() const {
  std::string out;
  append_base64(bytes, out);
  return out;
}

Result<RawJson> RawJson::parse(std::string_view text) {
  json::Document document;
  const auto value = document.parse_copy(as_bytes(text));
  if (!value) return value.error();
  return trusted(json::written(*value));
}

}  // namespace ts2021
