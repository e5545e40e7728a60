// SPDX-License-Identifier: BSD-3-Clause
// The one inclusion of nghttp2, and one set of names for its versions from 1.52 on. Included by session.cc
// only.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>

namespace ts2021::h2::ng {

// 1.60 renamed what has ssize_t in its signature.
#if NGHTTP2_VERSION_NUM >= 0x013c00
using size_or_error = nghttp2_ssize;
using data_provider = nghttp2_data_provider2;
inline size_or_error mem_recv(nghttp2_session* s, const std::uint8_t* in, std::size_t n) noexcept {
  return nghttp2_session_mem_recv2(s, in, n);
}
inline size_or_error mem_send(nghttp2_session* s, const std::uint8_t** out) noexcept {
  return nghttp2_session_mem_send2(s, out);
}
inline int submit_response(nghttp2_session* s, std::int32_t stream, const nghttp2_nv* headers, std::size_t n,
                           const data_provider* body) noexcept {
  return nghttp2_submit_response2(s, stream, headers, n, body);
}
inline std::int32_t submit_request(nghttp2_session* s, const nghttp2_nv* headers, std::size_t n,
                                   const data_provider* body) noexcept {
  return nghttp2_submit_request2(s, nullptr, headers, n, body, nullptr);
}
#else
using size_or_error = ssize_t;
using data_provider = nghttp2_data_provider;
inline size_or_error mem_recv(nghttp2_session* s, const std::uint8_t* in, std::size_t n) noexcept {
  return nghttp2_session_mem_recv(s, in, n);
}
inline size_or_error mem_send(nghttp2_session* s, const std::uint8_t** out) noexcept {
  return nghttp2_session_mem_send(s, out);
}
inline int submit_response(nghttp2_session* s, std::int32_t stream, const nghttp2_nv* headers, std::size_t n,
                           const data_provider* body) noexcept {
  return nghttp2_submit_response(s, stream, headers, n, body);
}
inline std::int32_t submit_request(nghttp2_session* s, const nghttp2_nv* headers, std::size_t n,
                                   const data_provider* body) noexcept {
  return nghttp2_submit_request(s, nullptr, headers, n, body, nullptr);
}
#endif

// nghttp2's own limit of stream resets reads a clock; ours (flood_meter.h) is fed. The option came with 1.57
// and into the 1.52 of some distributions: the first overload exists only where nghttp2 declares it.
template <class Option>
auto lift_reset_limit(Option* option, int) noexcept
    -> decltype(nghttp2_option_set_stream_reset_rate_limit(option, 0U, 0U)) {
  nghttp2_option_set_stream_reset_rate_limit(option, std::uint64_t{1} << 40, std::uint64_t{1} << 40);
}
template <class Option>
void lift_reset_limit(Option*, long) noexcept {}

}  // namespace ts2021::h2::ng
