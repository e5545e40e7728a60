// SPDX-License-Identifier: BSD-3-Clause
// One HTTP/1.1 message, parsed by Boost.Beast behind our stricter rules. The only door to that library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"
#include "ts2021/http/message.h"

namespace ts2021::entry {

enum class BodyKind : std::uint8_t { none, sized, chunked, until_end };

// Views are into the buffer given to parse_head().
struct MessageHead {
  std::string_view method, target;  // of a request
  int status = 0;                   // of an answer
  bool http11 = true;
  bool keep_alive = true;
  BodyKind body = BodyKind::none;
  std::uint64_t body_size = 0;  // with sized
  std::vector<Header> headers;  // names in lower case
};

class MessageParser {
 public:
  enum class Kind : std::uint8_t { request, answer, answer_to_head };

  MessageParser(Kind kind, std::size_t max_headers);
  ~MessageParser();
  MessageParser(MessageParser&&) noexcept;
  MessageParser& operator=(MessageParser&&) noexcept;

  // `buffer` holds one whole head, blank line included, and must outlive the use of head(); names are put
  // into lower case in it. The error's detail is the status with which a server answers.
  [[nodiscard]] Result<void> parse_head(MutableBytes buffer);
  [[nodiscard]] const MessageHead& head() const noexcept { return head_; }

  // Appends what `in` holds of the body to `body` and returns the bytes used. What it leaves must come again
  // in front of the next bytes. Error limit_exceeded: more than max_size in all; bad_http_body: broken
  // chunks.
  [[nodiscard]] Result<std::size_t> parse_body(Bytes in, std::vector<std::uint8_t>& body);
  void limit_body(std::size_t max_size) noexcept { room_ = max_size; }
  // The peer has closed: ends a body of kind until_end. Error truncated for the others.
  [[nodiscard]] Result<void> parse_end();
  [[nodiscard]] bool done() const noexcept;

 private:
  class Beast;
  template <bool is_request>
  class BeastOf;

  [[nodiscard]] Result<void> judge_head();

  std::unique_ptr<Beast> beast_;
  MessageHead head_;
  std::size_t room_ = std::numeric_limits<std::size_t>::max();
};

}  // namespace ts2021::entry
