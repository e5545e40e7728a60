// SPDX-License-Identifier: BSD-3-Clause
#include "service/page.h"

namespace ts2021::service {
namespace {

// What is shown of a key: enough to compare by eye.
std::string fingerprint(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 4 <= 32; i += 4) {
    if (!out.empty()) out += ' ';
    out += hex.substr(i, 4);
  }
  return out;
}

std::string page(std::string_view title, std::string_view content) {
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">";
  out += "<meta name=\"viewport\" content=\"width=device-width\"><title>";
  out += escaped(title);
  out +=
      "</title><style>body{font:1.1em/1.5 sans-serif;max-width:32em;margin:3em auto;padding:0 1em}"
      "th{text-align:left;padding-right:1em}td{font-family:monospace;word-break:break-all}"
      "button{font:inherit;padding:.3em 1.2em;margin:1em 1em 0 0}</style></head><body><h1>";
  out += escaped(title);
  out += "</h1>\n";
  out += content;
  out += "</body></html>\n";
  return out;
}

std::string row(std::string_view name, std::string_view value) {
  return "<tr><th>" + std::string(name) + "</th><td>" + escaped(value) + "</td></tr>\n";
}

std::string_view title_of(PendingKind kind) {
  switch (kind) {
    case PendingKind::login:
      return "Connect this machine?";
    case PendingKind::ssh:
      return "Allow this SSH session?";
    case PendingKind::web_client:
      return "Allow this web client?";
  }
  return "";
}

std::string_view authority_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  return url.substr(0, url.find('/'));
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  return out;
}

std::string message_page(std::string_view title, std::string_view text) {
  return page(title, "<p>" + escaped(text) + "</p>");
}

std::string decision_page(const answer::Pending& pending) {
  std::string content = "<table>\n" + row("Machine", pending.hostname) + row("System", pending.os);
  content += row("Machine key", fingerprint(pending.machine.bare_text()));
  content += row("Node key", fingerprint(pending.node_key.bare_text()));
  if (!pending.target.empty()) content += row("Wants to enter", pending.target);
  content += "</table>\n<p>Go on only if you have just started this yourself.</p>\n";
  content += "<form method=\"post\" autocomplete=\"off\"><label>Login name <input name=\"";
  content += std::string(login_field) + "\" maxlength=\"254\"></label><br>\n";
  const auto button = [](std::string_view value, std::string_view label) {
    return "<button name=\"" + std::string(decision_field) + "\" value=\"" + std::string(value) + "\">" +
           std::string(label) + "</button>\n";
  };
  content += button(connect_value, "Connect") + button(deny_value, "Deny") + "</form>";
  return page(title_of(pending.kind), content);
}

bool is_same_origin(std::span<const Header> headers, std::string_view site_url) {
  const std::string_view fetch = find_header(headers, "sec-fetch-site");
  if (!fetch.empty()) return fetch == "same-origin";
  const std::string_view origin = find_header(headers, "origin");
  if (origin.empty()) return true;
  const std::string_view from = authority_of(origin);
  return !from.empty() &&
         (same_token(from, find_header(headers, "host")) || same_token(from, authority_of(site_url)));
}

}  // namespace ts2021::service
