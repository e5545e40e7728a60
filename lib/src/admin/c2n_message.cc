// SPDX-License-Identifier: BSD-3-Clause
#include "admin/c2n_message.h"

#include <algorithm>
#include <map>

#include "admin/members.h"
#include "admin/query.h"
#include "admin/reply.h"
#include "ts2021/base/block_pool.h"
#include "ts2021/base/byte_queue.h"
#include "ts2021/entry/http1.h"
#include "ts2021/msg/primitives.h"

namespace ts2021::admin {
namespace {

constexpr entry::Http1Limits limits{.max_head = 64 << 10, .max_headers = 200};

bool is_host(const Header& header) { return same_token(header.name, "host"); }

// As Go spells them, whose maps of headers look for no other spelling.
std::string canonical(std::string_view name) {
  std::string out(name);
  bool begins = true;
  for (char& c : out) {
    if (begins && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    begins = c == '-';
  }
  return out;
}

void read_headers(Members& members, std::vector<Header>& out) {
  json::Value value;
  if (!members.take("headers", value)) return;
  if (value.type() != json::Type::object) return members.refuse("headers", "must be an object");
  json::ObjectCursor cursor(value);
  std::string_view name;
  for (json::Value item; cursor.next(name, item);) {
    const auto lines = text_list(item);
    if (!lines || !is_token(name) || !std::all_of(lines->begin(), lines->end(), is_header_value))
      return members.refuse("headers", "must be lists of values by names");
    for (const std::string& line : *lines) out.push_back({std::string(name), line});
  }
}

}  // namespace

bool is_request_path(std::string_view text) noexcept {
  return text.starts_with('/') && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
         });
}

bool is_token(std::string_view text) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [marks](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           marks.find(c) != marks.npos;
  });
}

bool is_header_value(std::string_view text) noexcept {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
  });
}

std::string parse_c2n(std::string_view body, C2nRequest& out) {
  json::Document document;
  Members members(document, body);
  if (members.take("method", out.method) && !is_token(out.method))
    members.refuse("method", "must be a method");
  if (!members.take("path", out.path))
    members.require("path");
  else if (!is_request_path(out.path))
    members.refuse("path", "must begin with a slash and have no spaces");
  read_headers(members, out.headers);
  std::string base64;
  if (members.take("body", base64)) {
    if (const auto blob = Blob::parse(base64))
      out.body.assign(blob->bytes.begin(), blob->bytes.end());
    else
      members.refuse("body", "must be base64");
  }
  if (members.take("timeout", out.timeout) && out.timeout > max_patience)
    members.refuse("timeout", "must be at most 10m");
  members.take("wait", out.wait);
  return members.finish();
}

std::string http_text(const C2nRequest& request) {
  std::string out = request.method + " " + request.path + " HTTP/1.1\r\nHost: ";
  if (const auto host = std::find_if(request.headers.begin(), request.headers.end(), is_host);
      host != request.headers.end())
    out += host->value;
  out += "\r\n";
  for (const Header& header : request.headers)
    if (!is_host(header) && !same_token(header.name, "content-length"))
      out.append(header.name).append(": ").append(header.value).append("\r\n");
  if (!request.body.empty()) out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  return out += "\r\n" + request.body;
}

std::optional<C2nResponse> parse_http_response(std::string_view text, std::string_view method) {
  BlockPool pool(2);
  ByteQueue unsent(pool, block_size);
  entry::Http1Client client(limits);
  if (!client.request({.method = method, .target = "/", .host = ""}, unsent)) return std::nullopt;
  C2nResponse out;
  bool ended = false;
  const auto drain = [&] {
    while (const auto event = client.next_event()) {
      if (const auto* head = std::get_if<entry::Http1ResponseHead>(&*event)) {
        out.status = head->status;
        for (const auto& header : head->headers)
          out.headers.push_back({canonical(header.name), std::string(header.value)});
      } else if (const auto* data = std::get_if<entry::Http1Data>(&*event)) {
        out.body += as_text(data->bytes);
      } else {
        ended = std::holds_alternative<entry::Http1End>(*event);
      }
    }
  };
  if (!client.feed(as_bytes(text))) return std::nullopt;
  drain();
  if (!ended) {
    if (!client.feed_end()) return std::nullopt;
    drain();
  }
  if (!ended) return std::nullopt;
  return out;
}

std::string answer_json(const C2nResponse& response) {
  std::map<std::string_view, std::vector<std::string_view>> headers;
  for (const Header& header : response.headers) headers[header.name].push_back(header.value);
  Blob body;
  body.bytes.assign(response.body.begin(), response.body.end());
  return json_object([&](json::Writer& out) {
    number_member(out, "status", static_cast<std::uint64_t>(response.status));
    out.plain_name("headers");
    out.begin_object();
    for (const auto& [name, values] : headers) {
      out.name(name);
      out.begin_array();
      for (const std::string_view value : values) out.string(value);
      out.end_array();
    }
    out.end_object();
    text_member(out, "body", body.text());
  });
}

}  // namespace ts2021::admin
