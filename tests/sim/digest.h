// SPDX-License-Identifier: BSD-3-Clause
// FNV-1a over all that happened in a run, in words of 8 bytes: two runs with one digest were the same.
#pragma once

#include <cstdint>
#include <cstring>

#include "ts2021/base/bytes.h"

namespace ts2021::test {

class Digest {
 public:
  void add(std::uint64_t word) { value_ = (value_ ^ word) * 0x100000001b3; }
  void add(Bytes bytes) {
    add(bytes.size());
    std::uint64_t word = 0;
    for (; bytes.size() >= sizeof word; bytes = bytes.subspan(sizeof word)) {
      std::memcpy(&word, bytes.data(), sizeof word);
      add(word);
      value_ ^= value_ >> 29;  // else high bits of words never reach low ones
    }
    word = 0;
    if (!bytes.empty()) std::memcpy(&word, bytes.data(), bytes.size());
    add(word);
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }
  [[nodiscard]] static std::uint64_t of(Bytes bytes) {
    Digest digest;
    digest.add(bytes);
    return digest.value();
  }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace ts2021::test
