// SPDX-License-Identifier: BSD-3-Clause
#include "entry/http1_output.h"

#include <algorithm>
#include <cstring>

namespace ts2021::entry {

void Http1Output::append(std::string text) {
  if (text.empty()) return;
  pending_ += text.size();
  pieces_.push_back({std::move(text), nullptr});
}

void Http1Output::append(SharedBytes bytes) {
  if (!bytes || bytes->empty()) return;
  pending_ += bytes->size();
  pieces_.push_back({{}, std::move(bytes)});
}

void Http1Output::fill(ByteQueue& out) {
  while (first_ < pieces_.size()) {
    Piece& piece = pieces_[first_];
    const Bytes left = (piece.shared ? Bytes(*piece.shared) : as_bytes(piece.text)).subspan(offset_);
    const MutableBytes room = out.prepare(1);
    if (room.empty()) return;
    const std::size_t n = std::min(left.size(), room.size());
    std::memcpy(room.data(), left.data(), n);
    out.commit(n);
    offset_ += n;
    pending_ -= n;
    if (n < left.size()) continue;
    piece = {};
    ++first_;
    offset_ = 0;
  }
  pieces_.clear();
  first_ = 0;
}

std::string answer_head(const ResponseHead& head, AnswerBody body, std::size_t size, bool close) {
  std::string text = "HTTP/1.1 ";
  text += std::to_string(head.status);
  text += ' ';
  text += reason_phrase(head.status);
  text += "\r\n";
  const auto line = [&text](std::string_view name, std::string_view value) {
    text += name;
    text += ": ";
    text += value;
    text += "\r\n";
  };
  if (!head.content_type.empty()) line("Content-Type", head.content_type);
  for (const Header& header : head.more) line(header.name, header.value);
  if (body == AnswerBody::sized) line("Content-Length", std::to_string(size));
  if (body == AnswerBody::chunked) line("Transfer-Encoding", "chunked");
  if (close) line("Connection", "close");
  text += "\r\n";
  return text;
}

bool safe_value(std::string_view value) noexcept {
  return std::none_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

bool safe_headers(std::span<const Header> headers) noexcept {
  return std::all_of(headers.begin(), headers.end(), [](const Header& header) {
    return !header.name.empty() && header.name.find_first_of(": \t") == std::string_view::npos &&
           safe_value(header.name) && safe_value(header.value);
  });
}

}  // namespace ts2021::entry
