// SPDX-License-Identifier: BSD-3-Clause
// The part of CBOR (RFC 8949) that the tailnet lock uses: unsigned integers, bytes, text, lists, maps, null,
// all of definite length (LCK-1). The only files that include libcbor.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/try.h"
#include "ts2021/base/bytes.h"
#include "ts2021/base/result.h"

namespace ts2021::lock::cbor {

enum class Kind : std::uint8_t { other, unsigned_integer, bytes, text, list, map, null };

// Takes one item after the other. What it returns lives as long as the input. All errors are bad_cbor but
// limit_exceeded. It takes longer forms of integers than needed: who reads compares with what he would write.
class Reader {
 public:
  explicit Reader(Bytes in) noexcept : rest_(in) {}

  [[nodiscard]] Result<std::uint64_t> unsigned_integer() noexcept;
  [[nodiscard]] Result<Bytes> bytes() noexcept;
  [[nodiscard]] Result<std::string_view> text() noexcept;  // UTF-8

  // Calls `element()` for each element of a list, or `member(number)` for each of a map whose names are
  // integers; it takes the value.
  template <class Element>
  [[nodiscard]] Result<void> list(std::size_t max, Element element) {
    TS_TRY(size, count(Kind::list, max));
    for (std::size_t i = 0; i < size; ++i) TS_CHECK(element());
    return {};
  }
  template <class Member>
  [[nodiscard]] Result<void> map(std::size_t max, Member member) {
    TS_TRY(size, count(Kind::map, max));
    for (std::size_t i = 0; i < size; ++i) {
      TS_TRY(number, unsigned_integer());
      TS_CHECK(member(number));
    }
    return {};
  }

  // Like map(), without the names.
  [[nodiscard]] Result<std::size_t> count(Kind kind, std::size_t max) noexcept;
  // Takes a null if one comes next.
  [[nodiscard]] bool null() noexcept;

 private:
  Bytes rest_;
};

// Writes the shortest forms. The caller keeps the order of a map's members.
class Writer {
 public:
  void unsigned_integer(std::uint64_t value);
  void bytes(Bytes value);
  void text(std::string_view value);
  void list(std::size_t size);
  void map(std::size_t size);
  void null();
  [[nodiscard]] std::vector<std::uint8_t> take() noexcept { return std::move(out_); }

 private:
  void append(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

  std::vector<std::uint8_t> out_;
};

}  // namespace ts2021::lock::cbor
