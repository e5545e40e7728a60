// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/announce.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace ts2021::app {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", c);
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

void announce(const Announcement& ready, bool json) {
  const bool two_urls = ready.http_url != ready.url;
  std::string text;
  if (json) {
    text = "{\"url\":" + quoted(ready.url);
    if (two_urls) text += ",\"http_url\":" + quoted(ready.http_url);
    if (!ready.ca.empty()) text += ",\"ca\":" + quoted(ready.ca);
    if (!ready.admin.empty()) text += ",\"admin\":" + quoted(ready.admin);
    text += fmt::format(",\"auth_key\":{},\"pid\":{}}}\n", quoted(ready.auth_key), getpid());
  } else {
    text = fmt::format("ts2021d {} is ready\n\n  URL       {}\n", TS2021_VERSION, ready.url);
    if (two_urls) text += fmt::format("  HTTP      {}\n", ready.http_url);
    if (!ready.ca.empty()) text += fmt::format("  CA        {}  (SSL_CERT_FILE of nodes)\n", ready.ca);
    if (!ready.admin.empty()) text += fmt::format("  admin     {}\n", ready.admin);
    text += fmt::format("  auth key  {}\n\n  tailscale up --login-server={} --auth-key={}\n\n",
                        ready.auth_key, ready.url, ready.auth_key);
  }
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace ts2021::app
