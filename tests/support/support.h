// SPDX-License-Identifier: BSD-3-Clause
// What tests share: hex, repeatable entropy, a clock by hand, vector files, and the four generic harnesses.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/base/bytes.h"
#include "ts2021/base/entropy.h"
#include "ts2021/base/time.h"

namespace ts2021::test {

using Buffer = std::vector<std::uint8_t>;

[[nodiscard]] Buffer unhex(std::string_view hex);  // throws std::invalid_argument
[[nodiscard]] std::string hex(Bytes bytes);
[[nodiscard]] inline Buffer buffer(std::string_view text) { return {text.begin(), text.end()}; }
[[nodiscard]] inline std::string string(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
[[nodiscard]] Buffer read_file(const std::string& path);  // throws when it can't be read
// tests/vectors/<name>
[[nodiscard]] std::string vector_path(std::string_view name);

// The same bytes in every run with the same seed. Not for anything but tests.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed = 1) : engine_(seed) {}
  void fill(MutableBytes out) noexcept override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937_64 engine_;
};

// Gives out exactly these bytes, in order; then zeros.
class FixedEntropy final : public Entropy {
 public:
  explicit FixedEntropy(Buffer bytes) : bytes_(std::move(bytes)) {}
  void fill(MutableBytes out) noexcept override {
    for (auto& byte : out) byte = at_ < bytes_.size() ? bytes_[at_++] : std::uint8_t{0};
  }

 private:
  Buffer bytes_;
  std::size_t at_ = 0;
};

struct Clock {
  Now now{Instant{std::chrono::seconds{1000}}, WallTime{std::chrono::milliseconds{1'780'000'000'000}}};
  void advance(std::chrono::milliseconds by) {
    now.mono += by;
    now.wall += by;
  }
};

// Harness 1, cut anywhere: runs `drive` with the input cut at every single position (inputs up to 4 KiB;
// longer ones at 4,096 spread positions), byte by byte, and at 50 seeded random sets of positions. `drive`
// gets the chunks and returns a transcript of what it saw, which must always be the same.
using Chunks = std::vector<Buffer>;
void cut_anywhere(Bytes input, const std::function<std::string(const Chunks&)>& drive);

// Harness 2, flip every byte: for each position and each of the given xor values, runs `refuses` with the
// changed input; it must return true.
void flip_every_byte(Bytes input, const std::function<bool(Buffer changed, std::size_t position)>& refuses,
                     std::vector<std::uint8_t> flips = {0x01, 0x80});

// Harness 3, fail every allocation: runs `attempt(n)` for n = 1, 2, … until it returns false, which means
// that fewer than n requests were made. `attempt` arms BlockPool::fail_request(n) and checks that nothing
// leaked.
void fail_every_request(const std::function<bool(std::size_t nth)>& attempt, std::size_t at_most = 100'000);

// Harness 4, tiny socket: runs `drive(k)` for every k in 1…32 and some larger ones; it moves at most k bytes
// per step in each direction and returns a transcript, which must always be the same.
void tiny_socket(const std::function<std::string(std::size_t k)>& drive);

// Allocations through operator new of this thread since start; for tests of paths that must not allocate.
[[nodiscard]] std::size_t allocation_count() noexcept;

// While it lives, looks for secrets of 32 bytes in every block that operator delete gives back on this
// thread. The needles must not lie in such a block themselves.
class FreedWatch {
 public:
  explicit FreedWatch(std::vector<Bytes> needles);
  ~FreedWatch();
  FreedWatch(const FreedWatch&) = delete;
  FreedWatch& operator=(const FreedWatch&) = delete;
  [[nodiscard]] std::size_t found() const noexcept { return found_; }
  void look(Bytes freed) noexcept;

 private:
  std::vector<Bytes> needles_;
  std::size_t found_ = 0;
};

}  // namespace ts2021::test
