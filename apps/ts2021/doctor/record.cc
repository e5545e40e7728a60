// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/doctor/record.h"

#include <array>
#include <cstddef>

namespace ts2021::app {
namespace {

template <class E, std::size_t N>
const char* at(const std::array<const char*, N>& names, E value) noexcept {
  return names[static_cast<std::size_t>(value)];
}

}  // namespace

const char* name(Hop hop) noexcept {
  return at(std::array{"name", "port", "tls", "key", "upgrade", "noise", "early", "http2", "register", "map",
                       "keep-alive"},
            hop);
}

const char* name(Way way) noexcept { return at(std::array{"", "plain", "tls", "websocket"}, way); }

const char* name(Verdict verdict) noexcept {
  return at(std::array{"ok", "warning", "failed", "skipped"}, verdict);
}

const char* name(What what) noexcept {
  return at(std::array{"fine",
                       "no-address",
                       "nobody-listens",
                       "no-route",
                       "not-tls",
                       "tls-failed",
                       "certificate-time",
                       "certificate-name",
                       "certificate-authority",
                       "cut",
                       "silence",
                       "speaks-tls",
                       "not-http",
                       "status",
                       "no-key",
                       "no-noise-key",
                       "equal-keys",
                       "changing-key",
                       "bad-switch",
                       "refusal",
                       "cut-after-101",
                       "silence-after-101",
                       "bad-message-2",
                       "bad-proof",
                       "bad-early-payload",
                       "bad-record",
                       "bad-http2",
                       "going-away",
                       "reset",
                       "refused",
                       "login",
                       "bad-message",
                       "ended"},
            what);
}

}  // namespace ts2021::app
