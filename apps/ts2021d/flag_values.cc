// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/flag_values.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <stdexcept>

#include "ts2021/msg/primitives.h"

namespace ts2021::app {
namespace {

constexpr std::chrono::seconds longest{std::int64_t{10} * 365 * 24 * 60 * 60};

// The part in front of the separator, which is taken off `rest` together with it; all if there is none.
std::string_view take(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return part;
}

template <class Predicate>
bool consists_of(std::string_view text, Predicate good) {
  return std::all_of(text.begin(), text.end(), [&](unsigned char c) { return good(c); });
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

bool is_tag(std::string_view text) {
  if (!text.starts_with("tag:")) return false;
  text.remove_prefix(4);
  return !text.empty() && text.size() <= 50 && std::isalpha(static_cast<unsigned char>(text.front())) &&
         consists_of(text, [](unsigned char c) { return std::isalnum(c) || c == '-'; });
}

}  // namespace

std::chrono::seconds parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  std::int64_t seconds = 0;
  if (unit == "s") seconds = 1;
  if (unit == "m") seconds = 60;
  if (unit == "h") seconds = 60 * 60;
  if (unit == "d") seconds = 24 * 60 * 60;
  if (error != std::errc{} || seconds == 0 || count <= 0 || count > longest.count() / seconds)
    throw std::invalid_argument("not a time like 90s, 15m, 12h or 30d, up to ten years: " + quoted(text));
  return std::chrono::seconds(count * seconds);
}

PresetAuthKey parse_auth_key(std::string_view text, WallTime now) {
  if (text.ends_with(',')) throw std::invalid_argument("the last attribute of an auth key is empty");
  PresetAuthKey key;
  key.secret = take(text, ',');
  const bool good =
      !key.secret.empty() && key.secret.size() <= 256 && consists_of(key.secret, [](unsigned char c) {
        return std::isalnum(c) ||
               std::string_view("-_.:+").find(static_cast<char>(c)) != std::string_view::npos;
      });
  if (!good) throw std::invalid_argument("an auth key has 1 to 256 letters, digits and -_.:+");
  while (!text.empty()) {
    const std::string_view attribute = take(text, ',');
    if (attribute == "ephemeral")
      key.ephemeral = true;
    else if (attribute == "single-use")
      key.reusable = false;
    else if (attribute == "needs-approval")
      key.preauthorized = false;
    else if (is_tag(attribute))
      key.tags.emplace_back(attribute);
    else if (attribute.starts_with("user="))
      key.login_name = parse_login(attribute.substr(5));
    else if (attribute.starts_with("expires="))
      key.expiry = now + parse_duration(attribute.substr(8));
    else
      throw std::invalid_argument("not an attribute of an auth key: " + quoted(attribute));
  }
  return key;
}

std::string parse_login(std::string_view text) {
  const std::size_t at = text.find('@');
  const bool good = text.size() <= 254 && at != 0 && at != std::string_view::npos && at + 1 < text.size() &&
                    text.find('@', at + 1) == std::string_view::npos &&
                    consists_of(text, [](unsigned char c) {
                      return std::isgraph(c) && c != '"' && c != '\\' && c != ',' && c != '<' && c != '>';
                    });
  if (!good) throw std::invalid_argument("not a login name like alice@example.com: " + quoted(text));
  return std::string(text);
}

std::string parse_domain(std::string_view text) {
  const bool good = !text.empty() && text.size() <= 190 && text.front() != '.' && text.back() != '.' &&
                    text.find("..") == std::string_view::npos && consists_of(text, [](unsigned char c) {
                      return std::islower(c) || std::isdigit(c) || c == '-' || c == '_' || c == '.';
                    });
  if (!good)
    throw std::invalid_argument("a domain has lower-case labels, like tailnet.example: " + quoted(text));
  return std::string(text);
}

Resolver parse_resolver(std::string_view text) {
  const bool url =
      text.starts_with("https://") && text.size() > 8 && text.size() <= 1024 &&
      consists_of(text, [](unsigned char c) { return std::isgraph(c) && c != '"' && c != '\\'; });
  if (!url && !IpAddress::parse(text) && !IpPort::parse(text))
    throw std::invalid_argument("not a resolver like 192.0.2.1, [2001:db8::1]:53 or https://dns.example: " +
                                quoted(text));
  Resolver resolver;
  resolver.addr = text;
  return resolver;
}

std::pair<std::string, std::vector<Resolver>> parse_dns_route(std::string_view text) {
  if (text.find('=') == std::string_view::npos)
    throw std::invalid_argument("not SUFFIX=RESOLVER: " + quoted(text));
  std::pair<std::string, std::vector<Resolver>> route;
  route.first = parse_domain(take(text, '='));
  while (!text.empty()) route.second.push_back(parse_resolver(take(text, ',')));
  return route;
}

DNSRecord parse_dns_record(std::string_view text) {
  DNSRecord record;
  record.name = parse_domain(take(text, '='));
  if (!IpAddress::parse(text)) throw std::invalid_argument("not an address: " + quoted(text));
  record.value = text;
  return record;
}

}  // namespace ts2021::app
