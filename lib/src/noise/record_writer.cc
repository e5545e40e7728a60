// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "base/try.h"
#include "noise/cipher_scratch.h"
#include "noise/nonce.h"
#include "noise/wire.h"
#include "ts2021/noise/record.h"

namespace ts2021::noise {
namespace {

constexpr std::size_t overhead = record_header_size + tag_size;

// Bytes that a text takes as records.
constexpr std::size_t sealed_size(std::size_t plaintext_size) noexcept {
  return plaintext_size + (plaintext_size + max_plaintext_size - 1) / max_plaintext_size * overhead;
}

}  // namespace

RecordWriter::RecordWriter(SendKey key, ByteQueue& out, CipherScratch& cipher) noexcept
    : key_(std::move(key)), out_(&out), cipher_(&cipher) {
  if (key_.is_spent()) (void)end(fail(Errc::misuse, 260));
}

RecordWriter::~RecordWriter() { cipher_->impl().seal.forget(this); }

std::size_t RecordWriter::room() const noexcept {
  return run_.empty() ? max_plaintext_size : std::min(run_.size(), max_record_size) - overhead - used_;
}

Result<void> RecordWriter::append(std::span<const Bytes> pieces) noexcept {
  if (error_) return *error_;
  std::size_t left = 0;
  for (const Bytes piece : pieces) left += piece.size();
  if (left == 0) return {};  // REC-2: no empty records
  if (sealed_size(used_ + left) > run_.size()) {
    // The text goes on in another block. The open record ends here as it is, so that all or nothing of the
    // text is taken: after this, up to four records, nothing can fail.
    if (out_->room() < sealed_size(used_) + sealed_size(left)) return fail(Errc::limit_exceeded, 261);
    TS_CHECK(flush());
    if (!reserve(left)) return fail(Errc::out_of_memory, 262);
  }
  for (Bytes piece : pieces) {
    while (!piece.empty()) {
      if (run_.empty() && !reserve(left)) return end(fail(Errc::out_of_memory, 263));
      const std::size_t n = std::min(piece.size(), room());
      std::copy_n(piece.begin(), n, run_.begin() + static_cast<std::ptrdiff_t>(record_header_size + used_));
      used_ += n;
      left -= n;
      piece = piece.subspan(n);
      if (room() == 0) TS_CHECK(seal());
    }
  }
  if (used_ == 0) run_ = {};
  return {};
}

Result<void> RecordWriter::flush() noexcept {
  if (error_) return *error_;
  if (used_ > 0) TS_CHECK(seal());
  run_ = {};
  return {};
}

// A run of queue memory for a text of this size, or for its first four records.
bool RecordWriter::reserve(std::size_t plaintext_size) noexcept {
  const std::size_t whole = std::min(max_record_size, out_->room());  // so that small texts share a record
  run_ = out_->prepare(std::max(std::min(sealed_size(plaintext_size), block_size), whole));
  return !run_.empty();
}

// Makes the open record final; the run goes on behind it.
Result<void> RecordWriter::seal() noexcept {
  if (key_.counter() == SendKey::last_counter) return end(fail(Errc::nonce_exhausted, 264));  // REC-4
  run_[0] = wire::record;                                                                     // REC-1
  store_u16be(run_.subspan(1), static_cast<std::uint16_t>(used_ + tag_size));
  const MutableBytes text = run_.subspan(record_header_size, used_);
  crypto::Aead& aead = cipher_->impl().seal.with(this, key_.reveal_bytes());
  aead.seal(nonce_of(key_.counter()), text, run_.subspan(record_header_size + used_).first<tag_size>());
  key_.advance();
  out_->commit(used_ + overhead);
  run_ = run_.subspan(used_ + overhead);
  used_ = 0;
  return {};
}

Error RecordWriter::end(Error error) noexcept {
  error_ = error;
  run_ = {};
  used_ = 0;
  cipher_->impl().seal.forget(this);
  key_.clear();
  return error;
}

}  // namespace ts2021::noise
