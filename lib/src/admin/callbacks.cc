// SPDX-License-Identifier: BSD-3-Clause
#include "admin/callbacks.h"

#include <algorithm>
#include <array>

#include "admin/reply.h"
#include "crypto/hex.h"
#include "ts2021/msg/ping.h"

namespace ts2021::admin {
namespace {

// Over Noise, whatever the host.
constexpr std::string_view where = "https://unused/machine/c2n/";

std::string make_token(Entropy& entropy) {
  std::array<std::uint8_t, 16> raw{};
  entropy.fill(raw);
  std::string text(2 * raw.size(), '0');
  crypto::encode_hex(raw, text);
  return text;
}

std::string_view last_segment(std::string_view url) {
  url = url.substr(0, url.find('?'));
  return url.substr(url.rfind('/') + 1);
}

}  // namespace

std::uint64_t Callbacks::begin(const C2nRequest& request, const NodePublic& node,
                               const MachinePublic& machine, Entropy& entropy, Instant now,
                               std::string& frame) {
  Call call;
  call.token = make_token(entropy);
  call.method = request.method;
  call.node = node;
  call.machine = machine;
  call.until = now + request.timeout;
  PingRequest ping;
  ping.url.append(where).append(call.token);
  ping.url_is_noise = true;
  ping.types = "c2n";
  const std::string payload = http_text(request);
  ping.payload.bytes.assign(payload.begin(), payload.end());
  frame = json_object([&](json::Writer& out) { json_member(out, "PingRequest", encoded(ping)); });
  open_[call.token] = ++last_;
  calls_.emplace(last_, std::move(call));
  return last_;
}

const Callbacks::Call* Callbacks::find(std::uint64_t id) const {
  const auto at = calls_.find(id);
  return at == calls_.end() ? nullptr : &at->second;
}

std::optional<std::uint64_t> Callbacks::deliver(std::string_view token, std::string_view body,
                                                const std::optional<MachinePublic>& machine, Instant now) {
  const auto at = open_.find(token);
  if (at == open_.end()) return std::nullopt;
  const std::uint64_t id = at->second;
  Call& call = calls_.at(id);
  if (machine != call.machine) return std::nullopt;
  open_.erase(at);
  auto response = parse_http_response(body, call.method);
  call.status = response ? 200 : 502;
  if (response) call.response = std::move(*response);
  call.forget_at = now + kept;
  return id;
}

void Callbacks::pinged(const std::string& url) {
  pings_.push_back(url);
  if (pings_.size() > max_pings) pings_.pop_front();
}

const std::string* Callbacks::ping(std::string_view token) const {
  const auto at = std::find_if(pings_.rbegin(), pings_.rend(),
                               [token](const std::string& url) { return last_segment(url) == token; });
  return at == pings_.rend() ? nullptr : &*at;
}

std::deque<std::uint64_t> Callbacks::advance(Instant now) {
  std::deque<std::uint64_t> late;
  for (auto& [id, call] : calls_) {
    if (call.status != 0 || call.until > now) continue;
    call.status = 504;
    call.forget_at = now + kept;
    open_.erase(call.token);
    late.push_back(id);
  }
  std::erase_if(calls_,
                [now](const auto& one) { return one.second.status != 0 && one.second.forget_at <= now; });
  return late;
}

std::optional<Instant> Callbacks::next_timeout() const {
  std::optional<Instant> next;
  for (const auto& [token, id] : open_)
    if (const Instant until = calls_.at(id).until; !next || until < *next) next = until;
  return next;
}

}  // namespace ts2021::admin
