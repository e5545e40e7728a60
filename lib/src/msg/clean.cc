// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/clean.h"

#include <algorithm>
#include <utility>

#include "json/utf8.h"

namespace ts2021 {
namespace {

char without_escape(char c) noexcept {
  if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f') return ' ';
  return c == '"' ? '\'' : c == '\\' ? '/' : c;
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t max_size) {
  std::string out;
  out.reserve(std::min(text.size(), max_size));
  while (!text.empty()) {
    const std::size_t size = json::sequence_size(text);
    if (out.size() + size > max_size) break;
    if (size == 1)
      out += without_escape(text[0]);
    else
      out += text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::vector<IpPrefix> clean_routes(const std::vector<IpPrefix>& routes) {
  std::vector<IpPrefix> out;
  for (const auto& route : routes) {
    if (out.size() == max_peer_routes) break;
    const IpPrefix masked = route.masked();  // API-66
    if (!masked.is_none() && std::find(out.begin(), out.end(), masked) == out.end()) out.push_back(masked);
  }
  return out;
}

std::vector<Service> clean_services(std::vector<Service> services) {
  if (services.size() > max_peer_services) {
    std::stable_partition(services.begin(), services.end(),
                          [](const Service& service) { return service.proto.starts_with("peerapi"); });
    services.resize(max_peer_services);
  }
  for (auto& service : services) {
    service.proto = clean_text(service.proto, max_peer_service_text);
    service.description = clean_text(service.description, max_peer_service_text);
  }
  return services;
}

std::vector<std::string> clean_ssh_keys(const std::vector<std::string>& keys) {
  std::vector<std::string> out;
  for (const auto& key : keys)
    if (out.size() < max_peer_ssh_keys && key.size() <= max_peer_ssh_key)
      out.push_back(clean_text(key, max_peer_ssh_key));
  return out;
}

}  // namespace ts2021
