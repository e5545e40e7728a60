// SPDX-License-Identifier: BSD-3-Clause
#include "support/support.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <new>
#include <stdexcept>

#include "support/catch.h"

namespace {
thread_local std::size_t allocations = 0;
thread_local ts2021::test::FreedWatch* watch = nullptr;

void give_back(void* p) noexcept {
  if (p && watch) watch->look({static_cast<const std::uint8_t*>(p), malloc_usable_size(p)});
  std::free(p);
}
}  // namespace

// Replaced for the whole test program, so that tests can count.
void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size ? size : 1)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size ? size : 1);
}
void operator delete(void* p) noexcept { give_back(p); }
void operator delete(void* p, std::size_t) noexcept { give_back(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { give_back(p); }

namespace ts2021::test {
namespace {

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  throw std::invalid_argument("not a hex digit");
}

Chunks split(Bytes input, std::vector<std::size_t> cuts) {
  std::sort(cuts.begin(), cuts.end());
  Chunks chunks;
  std::size_t from = 0;
  for (const std::size_t cut : cuts) {
    const std::size_t to = std::min(cut, input.size());
    if (to <= from) continue;
    chunks.emplace_back(input.begin() + static_cast<std::ptrdiff_t>(from),
                        input.begin() + static_cast<std::ptrdiff_t>(to));
    from = to;
  }
  if (from < input.size())
    chunks.emplace_back(input.begin() + static_cast<std::ptrdiff_t>(from), input.end());
  return chunks;
}

}  // namespace

Buffer unhex(std::string_view text) {
  if (text.size() % 2) throw std::invalid_argument("odd number of hex digits");
  Buffer out(text.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>(digit(text[2 * i]) * 16 + digit(text[2 * i + 1]));
  return out;
}

std::string hex(Bytes bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const auto byte : bytes) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

Buffer read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("can't read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string vector_path(std::string_view name) { return std::string(TS2021_SUPPORT_DATA "/").append(name); }

void cut_anywhere(Bytes input, const std::function<std::string(const Chunks&)>& drive) {
  const std::string whole = drive({Buffer(input.begin(), input.end())});
  const std::size_t step = input.size() / 4096 + 1;
  for (std::size_t at = 1; at < input.size(); at += step) {
    INFO("cut at " << at);
    REQUIRE(drive(split(input, {at})) == whole);
  }
  std::vector<std::size_t> every(input.size());
  for (std::size_t i = 0; i < every.size(); ++i) every[i] = i;
  REQUIRE(drive(split(input, every)) == whole);
  std::mt19937_64 random(7);
  for (int round = 0; round < 50; ++round) {
    INFO("random cuts, round " << round);
    std::vector<std::size_t> cuts(1 + random() % 12);
    for (auto& cut : cuts) cut = input.empty() ? 0 : random() % input.size();
    REQUIRE(drive(split(input, cuts)) == whole);
  }
}

void flip_every_byte(Bytes input, const std::function<bool(Buffer, std::size_t)>& refuses,
                     std::vector<std::uint8_t> flips) {
  for (std::size_t at = 0; at < input.size(); ++at)
    for (const auto flip : flips) {
      Buffer changed(input.begin(), input.end());
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ flip);
      INFO("byte " << at << " xor " << int{flip});
      REQUIRE(refuses(std::move(changed), at));
    }
}

void fail_every_request(const std::function<bool(std::size_t)>& attempt, std::size_t at_most) {
  for (std::size_t nth = 1; nth <= at_most; ++nth) {
    INFO("request " << nth << " fails");
    if (!attempt(nth)) {
      REQUIRE(nth > 1);  // a test in which nothing is ever requested proves nothing
      return;
    }
  }
  FAIL("more requests than expected");
}

void tiny_socket(const std::function<std::string(std::size_t)>& drive) {
  const std::string whole = drive(std::size_t{1} << 20);
  for (std::size_t k = 1; k <= 32; ++k) {
    INFO("socket of " << k << " bytes");
    REQUIRE(drive(k) == whole);
  }
  for (const std::size_t k : {61, 100, 255, 1000, 4095, 4096, 4097, 16384, 20000}) {
    INFO("socket of " << k << " bytes");
    REQUIRE(drive(k) == whole);
  }
}

std::size_t allocation_count() noexcept { return allocations; }

FreedWatch::FreedWatch(std::vector<Bytes> needles) : needles_(std::move(needles)) { watch = this; }

FreedWatch::~FreedWatch() { watch = nullptr; }

void FreedWatch::look(Bytes freed) noexcept {
  for (const Bytes needle : needles_)
    if (std::search(freed.begin(), freed.end(), needle.begin(), needle.end()) != freed.end()) ++found_;
}

}  // namespace ts2021::test
