// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/http/message.h"

namespace ts2021 {
namespace {

constexpr struct {
  Method method;
  std::string_view text;
} methods[] = {
    {Method::get, "GET"},     {Method::head, "HEAD"},     {Method::post, "POST"},       {Method::put, "PUT"},
    {Method::patch, "PATCH"}, {Method::remove, "DELETE"}, {Method::options, "OPTIONS"},
};

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

Method parse_method(std::string_view text) noexcept {
  for (const auto& row : methods)
    if (row.text == text) return row.method;
  return Method::other;
}

std::string_view text(Method method) noexcept {
  for (const auto& row : methods)
    if (row.method == method) return row.text;
  return "OTHER";
}

bool same_token(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

std::string_view find_header(std::span<const Header> headers, std::string_view name) noexcept {
  for (const Header& header : headers)
    if (same_token(header.name, name)) return header.value;
  return {};
}

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

}  // namespace ts2021
