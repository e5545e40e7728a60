// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/base/byte_queue.h"

#include "support/catch.h"
#include "support/support.h"

using namespace ts2021;
using test::Buffer;

namespace {

Buffer drain(ByteQueue& queue, std::size_t step) {
  Buffer out;
  while (!queue.empty()) {
    Bytes pieces[4];
    const std::size_t count = queue.gather(pieces);
    REQUIRE(count > 0);
    const std::size_t n = std::min(step, pieces[0].size());
    out.insert(out.end(), pieces[0].begin(), pieces[0].begin() + static_cast<std::ptrdiff_t>(n));
    queue.consume(n);
  }
  return out;
}

}  // namespace

TEST_CASE("a byte queue gives back what it took, in order, whatever the steps") {
  for (const std::size_t step : std::initializer_list<std::size_t>{1, 7, 4096, 16384, 100000}) {
    BlockPool pool(16);
    ByteQueue queue(pool, 200'000);
    Buffer in(100'000);
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint8_t>(i * 31);
    REQUIRE(queue.append(Bytes(in).first(50'000)));
    for (std::size_t at = 50'000; at < in.size(); at += 1000) {
      const MutableBytes room = queue.prepare(1000);
      REQUIRE(room.size() >= 1000);
      std::copy_n(in.begin() + static_cast<std::ptrdiff_t>(at), 1000, room.begin());
      queue.commit(1000);
    }
    REQUIRE(queue.size() == in.size());
    REQUIRE(drain(queue, step) == in);
    REQUIRE(pool.in_use() == 0);
  }
}

TEST_CASE("a byte queue refuses above its limit and changes nothing then") {
  BlockPool pool(16);
  ByteQueue queue(pool, 20'000);
  const Buffer a(15'000, 'a');
  REQUIRE(queue.append(a));
  REQUIRE_FALSE(queue.append(Buffer(5'001, 'b')));
  REQUIRE(queue.prepare(5'001).empty());
  REQUIRE(queue.size() == 15'000);
  REQUIRE(queue.append(Buffer(5'000, 'b')));
  REQUIRE(queue.room() == 0);
  REQUIRE(drain(queue, 16'384).size() == 20'000);
}

TEST_CASE("a byte queue without a block takes nothing and leaks nothing") {
  test::fail_every_request([](std::size_t nth) {
    BlockPool pool(64);
    bool failed = false;
    {
      ByteQueue queue(pool, 1 << 20);
      pool.fail_request(nth);
      const Buffer big(block_size * 5, 'x');
      const std::size_t before = queue.size();
      if (!queue.append(big)) {
        failed = true;
        REQUIRE(queue.size() == before);
      }
    }
    REQUIRE(pool.in_use() == 0);
    return failed;
  });
}
