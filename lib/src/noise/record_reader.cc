// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "noise/cipher_scratch.h"
#include "noise/nonce.h"
#include "noise/wire.h"
#include "ts2021/noise/record.h"

namespace ts2021::noise {

RecordReader::RecordReader(ReceiveKey key, BlockPool& pool, CipherScratch& cipher) noexcept
    : key_(std::move(key)), pool_(&pool), cipher_(&cipher) {
  if (key_.is_spent()) (void)end(fail(Errc::misuse, 240));
}

RecordReader::~RecordReader() {
  release_block();
  cipher_->impl().open.forget(this);
}

void RecordReader::feed(MutableBytes in) noexcept {
  if (error_) return;
  if (!in_.empty())
    (void)end(fail(Errc::misuse, 241));
  else
    in_ = in;
}

Result<std::optional<MutableBytes>> RecordReader::next() noexcept {
  if (given_out_) release_block();
  while (!error_) {
    if (body_size_ == 0) {
      const std::size_t n = std::min(record_header_size - header_size_, in_.size());
      std::copy_n(in_.begin(), n, header_.begin() + header_size_);
      header_size_ = static_cast<std::uint8_t>(header_size_ + n);
      in_ = in_.subspan(n);
      if (header_size_ < record_header_size) return std::optional<MutableBytes>{};
      // REC-6: the header ends the stream before any of the body is kept.
      if (header_[0] != wire::record) return end(fail(Errc::bad_message_type, 242, header_[0]));
      const std::uint16_t size = load_u16be(std::span(header_).subspan<1>());
      if (size > max_record_size - record_header_size) return end(fail(Errc::bad_message_size, 243, size));
      if (size < tag_size) return end(fail(Errc::bad_message_size, 244, size));
      body_size_ = size;
    }
    MutableBytes body;
    if (!block_ && in_.size() >= body_size_) {
      body = in_.first(body_size_);
      in_ = in_.subspan(body_size_);
    } else {
      if (in_.empty()) return std::optional<MutableBytes>{};
      if (!block_ && !(block_ = pool_->acquire())) return end(fail(Errc::out_of_memory, 245));
      const std::size_t n = std::min<std::size_t>(body_size_ - block_->end, in_.size());
      std::copy_n(in_.begin(), n, block_->data + block_->end);
      block_->end += static_cast<std::uint32_t>(n);
      in_ = in_.subspan(n);
      if (block_->end < body_size_) return std::optional<MutableBytes>{};
      body = MutableBytes(block_->data, body_size_);
    }
    body_size_ = 0;
    header_size_ = 0;
    const Result<MutableBytes> text = open(body);
    if (!text) return text.error();
    if (!text->empty()) {
      empty_run_ = 0;
      given_out_ = block_ != nullptr;
      return std::optional(*text);
    }
    release_block();
    if (++empty_run_ > max_empty_records)  // REC-5
      return end(fail(Errc::limit_exceeded, 247, max_empty_records));
  }
  return *error_;
}

bool RecordReader::mid_record() const noexcept {
  return !error_ && (header_size_ > 0 || body_size_ > 0 || !in_.empty());
}

Result<MutableBytes> RecordReader::open(MutableBytes body) noexcept {
  if (key_.counter() == ReceiveKey::last_counter) return end(fail(Errc::nonce_exhausted, 248));  // REC-4
  const MutableBytes text = body.first(body.size() - tag_size);
  crypto::Aead& aead = cipher_->impl().open.with(this, key_.reveal_bytes());
  if (!aead.open(nonce_of(key_.counter()), text, body.last<tag_size>()))
    return end(fail(Errc::bad_tag, 246));  // REC-7
  key_.advance();
  proven_ = true;
  return text;
}

// REC-7: what comes after an error is never decrypted, and nobody can.
Error RecordReader::end(Error error) noexcept {
  error_ = error;
  in_ = {};
  release_block();
  cipher_->impl().open.forget(this);
  key_.clear();
  return error;
}

void RecordReader::release_block() noexcept {
  given_out_ = false;
  if (block_) pool_->release(std::exchange(block_, nullptr));
}

}  // namespace ts2021::noise
