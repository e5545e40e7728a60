// SPDX-License-Identifier: BSD-3-Clause
// The records that carry everything after the handshake: opened where they lie, sealed where they leave.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "ts2021/base/block_pool.h"
#include "ts2021/base/byte_queue.h"
#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"
#include "ts2021/noise/cipher_scratch.h"
#include "ts2021/noise/direction_key.h"

namespace ts2021::noise {

inline constexpr std::size_t record_header_size = 3;
inline constexpr std::size_t tag_size = 16;
inline constexpr std::size_t max_record_size = 4096;
inline constexpr std::size_t max_plaintext_size = max_record_size - record_header_size - tag_size;
static_assert(max_plaintext_size == 4077);
static_assert(block_size % max_record_size == 0);
inline constexpr std::uint32_t max_empty_records = 1000;  // in a row

// Opens whole records inside the caller's bytes. A split header is kept inline; an unfinished body is copied
// into one block of the pool, which goes back with the next call after the record was given out: an idle
// reader holds no memory. Key, pool and cipher belong to the reader's thread; pool and cipher outlive it.
class RecordReader {
 public:
  RecordReader(ReceiveKey key, BlockPool& pool, CipherScratch& cipher) noexcept;
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;
  ~RecordReader();

  // The bytes are decrypted in place: garbage afterwards. They must stay until next() has said nullopt;
  // feeding more before that is misuse and ends the stream.
  void feed(MutableBytes in) noexcept;
  // Plaintext of the next record, never empty; nullopt when more bytes are needed; else the error that ended
  // the stream, for ever: close without a byte. The view lives until the next call on this object and never
  // longer than `in`. Errors: bad_message_type, bad_message_size, bad_tag, nonce_exhausted, limit_exceeded
  // (too many empty records), out_of_memory (no block for a split record), misuse.
  [[nodiscard]] Result<std::optional<MutableBytes>> next() noexcept;
  // Bytes of an unfinished record have come: at the end of the input the peer has cut the stream (truncated).
  [[nodiscard]] bool mid_record() const noexcept;
  // False until the first record has opened, which proves the peer (HSK-10).
  [[nodiscard]] bool proven() const noexcept { return proven_; }
  [[nodiscard]] std::uint64_t records() const noexcept { return key_.counter(); }  // opened so far

 private:
  [[nodiscard]] Error end(Error error) noexcept;
  [[nodiscard]] Result<MutableBytes> open(MutableBytes body) noexcept;
  void release_block() noexcept;

  ReceiveKey key_;
  BlockPool* pool_;
  CipherScratch* cipher_;
  MutableBytes in_;
  Block* block_ = nullptr;       // the split body, up to block_->end
  std::uint16_t body_size_ = 0;  // 0 while the header is incomplete
  std::uint8_t header_size_ = 0;
  bool given_out_ = false;  // the block's record was returned
  bool proven_ = false;
  std::array<std::uint8_t, record_header_size> header_{};
  std::uint32_t empty_run_ = 0;
  std::optional<Error> error_;
};

// Builds records at the end of a queue and seals them there: one copy, no allocation. The open record is
// reserved in the queue but not yet part of it: flush() before anything else touches the queue, consume()
// included. One writer per queue; queue and cipher belong to its thread and outlive it.
class RecordWriter {
 public:
  RecordWriter(SendKey key, ByteQueue& out, CipherScratch& cipher) noexcept;
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;
  ~RecordWriter();

  // Plaintext bytes that still fit into the open record; 4,077 when none is open.
  [[nodiscard]] std::size_t room() const noexcept;
  // Plaintext bytes in the open record; 0 when none is open.
  [[nodiscard]] std::size_t pending() const noexcept { return used_; }

  // Takes all or nothing. What does not fit into the open record goes on in further ones; a full record is
  // sealed at once. Nothing is sent for no bytes. Errors: limit_exceeded and out_of_memory when the queue has
  // no room now and nothing was taken, try again when it has drained; else failed(), for ever.
  [[nodiscard]] Result<void> append(Bytes plaintext) noexcept { return append(std::span(&plaintext, 1)); }
  // The same for a text in pieces, as one unit.
  [[nodiscard]] Result<void> append(std::span<const Bytes> pieces) noexcept;
  // Seals the open record, if any, into the queue. Errors: those of a failed writer.
  [[nodiscard]] Result<void> flush() noexcept;
  // The direction is dead: nonce_exhausted, misuse, or out_of_memory in the middle of more than four records.
  [[nodiscard]] bool failed() const noexcept { return error_.has_value(); }
  [[nodiscard]] std::uint64_t records() const noexcept { return key_.counter(); }  // sealed so far

 private:
  [[nodiscard]] Error end(Error error) noexcept;
  [[nodiscard]] bool reserve(std::size_t plaintext_size) noexcept;
  [[nodiscard]] Result<void> seal() noexcept;

  SendKey key_;
  ByteQueue* out_;
  CipherScratch* cipher_;
  MutableBytes run_;      // contiguous queue memory, the open record first; empty when none is open
  std::size_t used_ = 0;  // plaintext in the open record
  std::optional<Error> error_;
};

}  // namespace ts2021::noise
