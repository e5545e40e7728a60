// SPDX-License-Identifier: BSD-3-Clause
// Requests from control to node as tests write them, and what nodes answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ts2021/admin/desk.h"
#include "ts2021/base/time.h"

namespace ts2021::admin {

struct C2nRequest {
  std::string method = "GET";
  std::string path;  // with its query
  std::vector<Header> headers{};
  std::string body{};
  Instant::duration timeout = std::chrono::minutes{1};
  bool wait = true;
};
// What is wrong with the body of the call; empty when all is well.
[[nodiscard]] std::string parse_c2n(std::string_view body, C2nRequest& out);
// The request as it goes to the node.
[[nodiscard]] std::string http_text(const C2nRequest& request);

struct C2nResponse {
  int status = 0;
  std::vector<Header> headers;
  std::string body;
};
// One whole HTTP/1.1 answer; its body ends by its length, by chunks, or with `text`.
[[nodiscard]] std::optional<C2nResponse> parse_http_response(std::string_view text, std::string_view method);
[[nodiscard]] std::string answer_json(const C2nResponse& response);

// Whether it may stand in the head of a request or an answer.
[[nodiscard]] bool is_request_path(std::string_view text) noexcept;
[[nodiscard]] bool is_token(std::string_view text) noexcept;
[[nodiscard]] bool is_header_value(std::string_view text) noexcept;

}  // namespace ts2021::admin
