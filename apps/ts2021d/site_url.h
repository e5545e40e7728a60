// SPDX-License-Identifier: BSD-3-Clause
// The control URL: what nodes are given, and what follows from it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/socket.h"

namespace ts2021::app {

struct SiteUrl {
  bool https = false;
  Endpoint endpoint;     // with the scheme's port where the URL names none
  bool has_port = true;  // the URL names it

  [[nodiscard]] std::string text() const;
  // Noise of clients 1.24 to 1.28 gets through: plain HTTP on the URL's own port, or TLS on 443.
  [[nodiscard]] bool reachable_by_old_noise() const { return !https || endpoint.port == 443; }
};

// "http://host", "https://host:port"; slashes at the end don't count. Nothing for a URL with a path, since
// the official client asks for some things below it and for others not.
[[nodiscard]] std::optional<SiteUrl> parse_site_url(std::string_view text);

// How clients on this machine reach a listener.
[[nodiscard]] SiteUrl local_site_url(bool https, Endpoint listener);

}  // namespace ts2021::app
