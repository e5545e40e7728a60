// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/net/url.h"

#include <stdexcept>

namespace ts2021::app {

ControlUrl parse_url(std::string_view url) {
  const bool tls = url.starts_with("https://");
  if (!tls && !url.starts_with("http://"))
    throw std::runtime_error("the URL must begin with http:// or https://");
  std::string_view host = url.substr(tls ? 8 : 7);
  while (host.ends_with('/')) host.remove_suffix(1);
  if (host.empty() || host.find_first_of("/?#@") != std::string_view::npos)
    throw std::runtime_error("a control URL has a host and no path");
  const std::size_t bracket = host.rfind(']');
  const bool has_port =
      host.find(':', bracket == std::string_view::npos ? 0 : bracket) != std::string_view::npos;
  const auto endpoint = parse_endpoint(std::string(host) + (has_port ? "" : tls ? ":443" : ":80"));
  if (!endpoint || endpoint->host.empty() || endpoint->port == 0)
    throw std::runtime_error("not a host and port");
  return {tls, *endpoint, std::string(host)};
}

}  // namespace ts2021::app
