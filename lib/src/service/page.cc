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

constexpr std::string_view style = R"(
:root{--back:#f6f7f9;--card:#fff;--text:#1b1f24;--dim:#5b6470;--line:#dde1e7;--accent:#0b57d0;--on:#fff}
@media(prefers-color-scheme:dark){:root{--back:#14171b;--card:#1d2126;--text:#e6e9ed;--dim:#9aa4b0;--line:#333a43;
--accent:#8ab4f8;--on:#14171b}}
*{box-sizing:border-box}
body{margin:0;padding:1em;background:var(--back);color:var(--text);font:1em/1.5 system-ui,sans-serif}
main{max-width:30em;margin:6vh auto 0;padding:1.4em 1.6em;background:var(--card);border:1px solid var(--line);border-radius:10px}
h1{font-size:1.35em;margin:0 0 .7em}
table{width:100%;border-collapse:collapse;table-layout:fixed}
th,td{padding:.35em 0;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
th{width:7em;font-weight:normal;color:var(--dim)}
td{overflow-wrap:anywhere}
td.key{font:.9em/1.6 ui-monospace,"DejaVu Sans Mono",monospace}
label{display:block}
input{display:block;width:100%;margin-top:.3em;padding:.5em .7em;font:inherit;color:inherit;background:var(--back);
border:1px solid var(--dim);border-radius:6px}
button{margin:1.2em .7em 0 0;padding:.5em 1.4em;font:inherit;color:var(--accent);background:none;border:1px solid var(--accent);
border-radius:6px;cursor:pointer}
button.main{color:var(--on);background:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
)";

std::string page(std::string_view title, std::string_view content) {
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">";
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">";
  out += "<meta name=\"color-scheme\" content=\"light dark\"><title>";
  out += escaped(title);
  out += "</title><style>";
  out += style;
  out += "</style></head><body><main><h1>";
  out += escaped(title);
  out += "</h1>\n";
  out += content;
  out += "</main></body></html>\n";
  return out;
}

std::string row(std::string_view name, std::string_view value) {
  return "<tr><th scope=\"row\">" + std::string(name) + "</th><td>" + escaped(value) + "</td></tr>\n";
}
std::string key_row(std::string_view name, std::string_view hex) {
  return "<tr><th scope=\"row\">" + std::string(name) + "</th><td class=\"key\">" + fingerprint(hex) +
         "</td></tr>\n";
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
  content += key_row("Machine key", pending.machine.bare_text());
  content += key_row("Node key", pending.node_key.bare_text());
  if (!pending.target.empty()) content += row("Wants to enter", pending.target);
  content += "</table>\n<p>Go on only if you have just started this yourself.</p>\n";
  content += "<form method=\"post\" autocomplete=\"off\"><label>Login name <input name=\"";
  content += std::string(login_field) + "\" maxlength=\"254\" autofocus></label>\n";
  const auto button = [](std::string_view value, std::string_view label, std::string_view look) {
    return "<button name=\"" + std::string(decision_field) + "\" value=\"" + std::string(value) + "\"" +
           std::string(look) + ">" + std::string(label) + "</button>\n";
  };
  content += button(connect_value, "Connect", " class=\"main\"") + button(deny_value, "Deny", "") + "</form>";
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
