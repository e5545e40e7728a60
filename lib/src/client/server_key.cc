// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/client/node_client.h"

namespace ts2021 {
namespace {

constexpr std::size_t max_answer = 64 << 10;

}  // namespace

std::string server_key_path(Capability capability) {
  return "/key?v=" + std::to_string(static_cast<unsigned>(capability));
}

// JSON first, then the bare form of the oldest servers. SRV-2
Result<ServerKey> read_server_key(int status, Bytes body) {
  if (status != 200) return fail(Errc::bad_http_body, 1000, static_cast<std::uint32_t>(status));
  if (body.size() > max_answer) return fail(Errc::limit_exceeded, 1001);
  if (auto bare = ControlBoxPublic::parse_bare(as_text(body))) {
    ServerKey key;
    key.legacy_public_key = *bare;
    return key;
  }
  auto key = decode_copy<ServerKey>(body);
  if (!key) return key.error();
  if (key->public_key.is_zero() && key->legacy_public_key.is_zero()) return fail(Errc::missing_field, 1002);
  return key;
}

}  // namespace ts2021
