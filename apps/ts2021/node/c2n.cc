// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/node/c2n.h"

#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <variant>
#include <vector>

#include "common/printable.h"
#include "ts2021/base/block_pool.h"
#include "ts2021/base/byte_queue.h"
#include "ts2021/entry/http1.h"

namespace ts2021::app {
namespace {

constexpr std::size_t max_request = 1 << 20;  // and of an answer
constexpr std::size_t max_file = 16 << 20;

// Every path of up to four segments, with the methods that servers use.
constexpr auto routes = [] {
  constexpr std::array methods{Method::get, Method::post, Method::put, Method::patch, Method::remove};
  constexpr std::array patterns{std::string_view("/{}"), std::string_view("/{}/{}"),
                                std::string_view("/{}/{}/{}"), std::string_view("/{}/{}/{}/{}")};
  std::array<Route, methods.size() * patterns.size()> out{};
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = {RouteId{0}, Site::outer, methods[i % methods.size()], patterns[i / methods.size()],
              max_request};
  return out;
}();

// "https://host/path?query" to "/path?query"; empty when it is no such URL.
std::string path_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::size_t path = url.find('/', scheme + 3);
  return path == std::string_view::npos ? "/" : std::string(url.substr(path));
}

}  // namespace

void C2nAnswers::respond(const std::string& rule) {
  const std::size_t sign = rule.find('=');
  if (sign == std::string::npos || !rule.starts_with('/'))
    throw std::runtime_error("--respond: not /PATH=FILE");
  const std::string file = rule.substr(sign + 1);
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error(file + ": can't be read");
  std::string body(std::istreambuf_iterator<char>(in), {});
  if (body.size() > max_file) throw std::runtime_error(file + ": too large");
  files_[rule.substr(0, sign)] = std::move(body);
}

bool C2nAnswers::answer(const PingRequest& ping, PingReply& reply, std::string& why) const {
  reply = {};
  reply.path = path_of(ping.url);
  reply.asked = ping.types.empty() ? "ping" : printable(ping.types);
  if (reply.path.empty())
    why = "its URL is none";
  else if (!ping.url_is_noise)
    why = "its URL is not for Noise";
  else if (!ping.types.empty() && ping.types != "c2n")
    why = "there is no data path";
  if (!why.empty()) return false;
  if (ping.types.empty()) {
    reply.method = "HEAD";
    return true;
  }

  entry::Http1Server server(routes, {}, {.upgrades = false});
  server.feed(ping.payload.bytes);
  if (const auto event = server.next_event()) {
    const auto* const request = std::get_if<Request>(&*event);
    if (!request) {
      why = "its payload is no request for a path";
      return false;
    }
    const std::string path(request->path);
    reply.asked = std::string(text(request->method)) + " " + printable(path);
    if (!request->query.empty()) reply.asked += "?" + printable(request->query);
    const auto file = files_.find(path);
    const bool echo = file == files_.end() && path == "/echo";
    reply.status = file != files_.end() || echo ? 200 : 400;
    const SharedBytes body = file != files_.end() ? share(file->second)
                             : echo               ? share(request->body)
                                                  : share(std::string_view("unknown c2n path\n"));
    const StreamId stream = request->stream;
    server.release(stream);
    if (!server.respond(stream, {reply.status, echo ? "application/octet-stream" : "", {}}, body)) {
      why = "it can't be answered";
      return false;
    }
  }
  // Without an event the server has answered by itself: no HTTP, no such path, too large.
  BlockPool blocks(max_file / block_size + 64);
  ByteQueue out(blocks, max_file + (64 << 10));
  server.fill(out);
  if (out.empty()) {
    why = "its payload is no whole HTTP request";
    return false;
  }
  while (!out.empty()) {
    std::array<Bytes, 16> pieces;
    std::size_t size = 0;
    for (const Bytes piece : std::span(pieces).first(out.gather(pieces))) {
      reply.body.append(as_text(piece));
      size += piece.size();
    }
    out.consume(size);
    server.fill(out);
  }
  if (reply.status == 0) reply.status = 400;
  reply.method = "POST";
  return true;
}

}  // namespace ts2021::app
