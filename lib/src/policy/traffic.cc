// SPDX-License-Identifier: BSD-3-Clause
#include "policy/traffic.h"

#include <algorithm>
#include <charconv>

namespace ts2021::policy {
namespace {

template <class T>
std::optional<T> number(std::string_view text) noexcept {
  T out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

struct Named {
  std::string_view name;
  int numbers[2];  // the second 0: one only
};
constexpr Named names[] = {{"icmp", {1, 58}}, {"igmp", {2, 0}}, {"ipv4", {4, 0}}, {"ip-in-ip", {4, 0}},
                           {"tcp", {6, 0}},   {"egp", {8, 0}},  {"igp", {9, 0}},  {"udp", {17, 0}},
                           {"gre", {47, 0}},  {"esp", {50, 0}}, {"ah", {51, 0}},  {"ipv6-icmp", {58, 0}},
                           {"sctp", {132, 0}}};

}  // namespace

std::optional<Protocols> parse_protocol(std::string_view text) {
  for (const auto& named : names)
    if (named.name == text)
      return named.numbers[1] == 0 ? Protocols{named.numbers[0]}
                                   : Protocols{named.numbers[0], named.numbers[1]};
  const auto value = number<std::uint8_t>(text);
  if (!value || *value == 0) return std::nullopt;
  return Protocols{*value};
}

bool has_ports(const Protocols& protocols) noexcept {
  return std::all_of(protocols.begin(), protocols.end(), [](int one) { return has_ports(one); });
}

std::optional<std::vector<PortRange>> parse_ports(std::string_view text) {
  if (text == "*") return std::vector<PortRange>{{}};
  std::vector<PortRange> out;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    const std::size_t dash = part.find('-');
    const auto first = number<std::uint16_t>(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number<std::uint16_t>(part.substr(dash + 1));
    if (!first || !last || *last < *first) return std::nullopt;
    out.push_back({*first, *last});
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return out;
}

bool is_all(const std::vector<PortRange>& ports) noexcept {
  return ports.size() == 1 && ports.front() == PortRange{};
}

bool contains(const std::vector<PortRange>& ports, std::uint16_t port) noexcept {
  return std::any_of(ports.begin(), ports.end(),
                     [port](const PortRange& one) { return one.first <= port && port <= one.last; });
}

bool contains(const Protocols& protocols, int protocol) noexcept {
  if (protocols.empty()) return protocol == tcp || protocol == udp || protocol == 1 || protocol == 58;
  return std::find(protocols.begin(), protocols.end(), protocol) != protocols.end();
}

std::optional<std::pair<std::string_view, std::string_view>> split_ports(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return std::pair{host, text.substr(colon + 1)};
}

}  // namespace ts2021::policy
