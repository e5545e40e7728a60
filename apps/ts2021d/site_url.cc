// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/site_url.h"

#include <algorithm>
#include <cctype>

namespace ts2021::app {

std::string SiteUrl::text() const {
  std::string host = endpoint.text();
  if (!has_port) host.resize(host.rfind(':'));
  return (https ? "https://" : "http://") + host;
}

std::optional<SiteUrl> parse_site_url(std::string_view text) {
  SiteUrl url;
  url.https = text.starts_with("https://");
  if (!url.https && !text.starts_with("http://")) return std::nullopt;
  text.remove_prefix(url.https ? 8 : 7);
  while (text.ends_with('/')) text.remove_suffix(1);
  const bool known = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '.' || c == ':' || c == '[' || c == ']';
  });
  if (!known) return std::nullopt;
  const std::size_t colon = text.rfind(':'), bracket = text.rfind(']');
  url.has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const auto endpoint =
      parse_endpoint(url.has_port ? std::string(text) : std::string(text) + (url.https ? ":443" : ":80"));
  if (!endpoint || endpoint->host.empty() || endpoint->port == 0) return std::nullopt;
  url.endpoint = *endpoint;
  return url;
}

SiteUrl local_site_url(bool https, Endpoint listener) {
  if (listener.host == "0.0.0.0") listener.host = "127.0.0.1";
  if (listener.host == "::") listener.host = "::1";
  return {https, std::move(listener), true};
}

}  // namespace ts2021::app
