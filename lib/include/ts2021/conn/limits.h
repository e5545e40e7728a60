// SPDX-License-Identifier: BSD-3-Clause
// What one connection may cost, with defaults that are safe against strangers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ts2021 {

struct Limits {
  std::size_t max_head = 16 << 10;          // bytes of an HTTP/1.1 head
  std::size_t max_output = 256 << 10;       // bytes queued for the socket: 64 full records
  std::size_t max_bodies = 2 << 20;         // unreleased body bytes of one connection: its HTTP/2 window
  std::uint32_t max_streams = 250;          // announced; some fewer are served (H2-7)
  std::uint32_t max_resets_per_10_s = 100;  // resets, pings and settings of the peer
  std::chrono::milliseconds head_deadline{10'000};         // a head, from its first byte or the accept
  std::chrono::milliseconds keep_alive_deadline{75'000};   // between two requests of the outer site
  std::chrono::milliseconds preface_deadline{10'000};      // HTTP/2 preface and SETTINGS
  std::chrono::milliseconds body_deadline{30'000};         // a body, a split record
  std::chrono::milliseconds write_stall_deadline{30'000};  // output without any progress
  // An answer or a map message that the peer's window holds back, since its last byte that left.
  std::chrono::milliseconds push_stall_deadline{120'000};
  std::chrono::milliseconds idle_deadline{
      600'000};  // inside Noise without a stream; then GOAWAY (wire.md §7.5)
};

}  // namespace ts2021
