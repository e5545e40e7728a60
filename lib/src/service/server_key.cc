// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/service/server_key.h"

#include <charconv>

#include "ts2021/http/route.h"
#include "ts2021/msg/capability.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/server_key.h"

namespace ts2021 {
namespace {

constexpr std::string_view plain = "text/plain; charset=utf-8";

ServerKeyAnswer refusal(int status, std::string_view text) {
  return {status, plain, std::string(text) + "\n"};
}

// The form of the oldest clients: exactly 64 digits; a newline would break them. SRV-2
ServerKeyAnswer bare(const ServerKeySwitches& switches) { return {200, plain, switches.box.bare_text()}; }

constexpr int first_with_version = 28;       // no released client below sends v
constexpr int first_with_any_tls_port = 39;  // below, Noise is dialled on the URL's port or on TLS 443
constexpr int first_without_box = 90;        // SRV-6

}  // namespace

ServerKeyAnswer answer_server_key(std::string_view query, const ServerKeySwitches& switches) {
  const bool has_box = !switches.box.is_zero();
  const bool has_noise = !switches.noise.is_zero();

  std::uint16_t version = 0;
  if (const std::string_view v = query_value(query, "v"); !v.empty()) {  // SRV-1: the first v counts
    const auto [end, error] = std::from_chars(v.data(), v.data() + v.size(), version);
    if (error != std::errc{} || end != v.data() + v.size()) return refusal(400, "invalid capability version");
  }
  if (version < first_with_version)
    return has_box ? bare(switches) : refusal(400, "capability version must be set");

  ServerKey answer;
  const bool noise_usable = version >= first_with_any_tls_port || switches.reachable_by_old_noise;
  if (!noise_usable && has_box) return bare(switches);  // SRV-3
  if (has_noise && noise_usable) answer.public_key = switches.noise;
  if (has_box && version < first_without_box) answer.legacy_public_key = switches.box;
  // A client between 28 and 88 would build a box with a zero key and crash. SRV-4
  if (answer.public_key.is_zero() && answer.legacy_public_key.is_zero())
    return refusal(503, "no key for this client version");
  ServerKeyAnswer out{200, "application/json", {}};
  encode(answer, static_cast<Capability>(version), out.body);
  return out;
}

}  // namespace ts2021
