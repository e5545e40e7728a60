// SPDX-License-Identifier: BSD-3-Clause
#include <sstream>

#include "vectors.h"

using namespace ts2021;
using namespace ts2021::noise;

namespace {

using Key = std::array<std::uint8_t, 32>;
constexpr Key key{1, 2, 3, 4, 5, 6, 7, 8, 9};
SendKey send_key() { return SendKey::from_bytes(key); }
ReceiveKey receive_key() { return ReceiveKey::from_bytes(key); }

Buffer text_of(std::size_t size, std::uint8_t first = 0) {
  Buffer out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(first + i * 7);
  return out;
}

struct Reader {
  BlockPool pool{1};
  CipherScratch cipher;
  RecordReader reader{receive_key(), pool, cipher};
};

// What a reader delivers from these chunks, as text; checks that it holds at most one block and, between
// records, none.
std::string transcript(const test::Chunks& chunks) {
  Reader r;
  std::string out, text;
  for (Buffer chunk : chunks) {
    r.reader.feed(chunk);
    for (;;) {
      auto next = r.reader.next();
      if (!next) {
        std::ostringstream error;
        error << next.error();
        REQUIRE(r.pool.in_use() == 0);
        REQUIRE(r.reader.next().error() == next.error());
        return text + " then " + error.str();
      }
      if (!*next) break;
      REQUIRE_FALSE((*next)->empty());
      text += test::hex(**next) + ".";
    }
    if (!r.reader.mid_record()) REQUIRE(r.pool.in_use() == 0);
    REQUIRE(r.pool.in_use() <= 1);
  }
  return text + (r.reader.mid_record() ? " then cut" : " then border");
}

Buffer stream_of(const std::vector<Buffer>& texts) { return seal_each(send_key(), texts); }

}  // namespace

TEST_CASE("REC-1 records give the same texts however the stream is cut") {
  const Buffer stream = stream_of({text_of(1), text_of(200), text_of(16), text_of(300, 9), text_of(1)});
  REQUIRE(transcript({stream}).ends_with(" then border"));
  test::cut_anywhere(stream, transcript);
}

TEST_CASE("REC-2 full records, cut anywhere") {
  test::cut_anywhere(stream_of({text_of(4077), text_of(4077, 3), text_of(40)}), transcript);
}

TEST_CASE("REC-8 an end inside a header or a body is told from an end on a border") {
  const Buffer stream = stream_of({text_of(5), text_of(30)});
  for (std::size_t n = 0; n <= stream.size(); ++n) {
    const bool border = n == 0 || n == 24 || n == stream.size();
    REQUIRE(transcript({Buffer(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(n))})
                .ends_with(border ? " then border" : " then cut"));
  }
}

TEST_CASE("REC-6 REC-7 every changed byte is refused by the check that is there for it") {
  const Buffer stream = stream_of({text_of(20), text_of(60)});
  const std::string first = test::hex(text_of(20)) + ".";
  test::flip_every_byte(stream,
                        [&](Buffer changed, std::size_t position) {
                          const bool second = position >= 39;
                          const std::size_t inside = position - (second ? 39 : 0);
                          std::string said = transcript({changed});
                          if (second) {
                            if (!said.starts_with(first)) return false;
                            said.erase(0, first.size());
                          }
                          if (inside == 0) return said.starts_with(" then bad_message_type (check 242");
                          if (inside == 1)
                            return said.starts_with(" then bad_message_size (check 243") ||
                                   said == " then cut";
                          // Another length is waited for, or opens the wrong bytes, or is too short.
                          if (inside == 2)
                            return said == " then cut" || said.starts_with(" then bad_tag (check 246") ||
                                   said.starts_with(" then bad_message_size (check 244");
                          return said.starts_with(" then bad_tag (check 246");
                        },
                        {0x01, 0x04, 0x10, 0x80});
}

TEST_CASE("REC-6 impossible headers end the stream before any body and without a block") {
  const auto header = [](std::uint8_t type, std::uint16_t length) {
    Buffer out(3);
    out[0] = type;
    store_u16be(std::span(out).subspan(1), length);
    return out;
  };
  for (const std::uint16_t length : std::initializer_list<std::uint16_t>{4094, 4096, 16384, 65535})
    REQUIRE(transcript({header(4, length)}) ==
            " then bad_message_size (check 243, detail " + std::to_string(length) + ")");
  for (std::uint16_t length = 0; length < 16; ++length)
    REQUIRE(transcript({header(4, length)}) ==
            " then bad_message_size (check 244, detail " + std::to_string(length) + ")");
  for (unsigned type = 0; type < 256; ++type)
    if (type != 4)
      REQUIRE(transcript({header(static_cast<std::uint8_t>(type), 100)}) ==
              " then bad_message_type (check 242, detail " + std::to_string(type) + ")");
  REQUIRE(transcript({header(4, 4093)}) == " then cut");
  REQUIRE(transcript({header(4, 16)}) == " then cut");
}

TEST_CASE("REC-7 replayed, swapped and dropped records are refused") {
  const Buffer a = seal_raw(key, 0, text_of(10)), b = seal_raw(key, 1, text_of(11)),
               c = seal_raw(key, 2, text_of(12));
  const std::string one = test::hex(text_of(10)) + ".";
  REQUIRE(transcript({a, b, c}).ends_with("border"));
  const std::string refused = " then bad_tag (check 246, detail 0)";
  REQUIRE(transcript({a, a}) == one + refused);
  REQUIRE(transcript({a, c}) == one + refused);
  REQUIRE(transcript({b, a}) == refused);
  // Nothing behind an error is opened, good as it may be.
  Reader r;
  Buffer wrong = b, good = a;
  r.reader.feed(wrong);
  REQUIRE(r.reader.next().error().origin == 246);
  r.reader.feed(good);
  REQUIRE(r.reader.next().error().origin == 246);
  REQUIRE_FALSE(r.reader.mid_record());
  REQUIRE_FALSE(r.reader.proven());
}

TEST_CASE("REC-5 empty records count and yield nothing; 1,000 in a row are the limit") {
  const auto many = [](std::uint64_t count) {
    Buffer stream;
    for (std::uint64_t i = 0; i < count; ++i) {
      const Buffer record = seal_raw(key, i, {});
      stream.insert(stream.end(), record.begin(), record.end());
    }
    const Buffer last = seal_raw(key, count, text_of(2));
    stream.insert(stream.end(), last.begin(), last.end());
    return stream;
  };
  REQUIRE(transcript({many(1)}) == "0007. then border");
  REQUIRE(transcript({many(1000)}) == "0007. then border");
  REQUIRE(transcript({many(1001)}) == " then limit_exceeded (check 247, detail 1000)");
  // A text between them starts the count again.
  Buffer mixed = many(1000);
  for (std::uint64_t i = 1001; i < 2001; ++i) {
    const Buffer record = seal_raw(key, i, {});
    mixed.insert(mixed.end(), record.begin(), record.end());
  }
  REQUIRE(transcript({mixed}) == "0007. then border");
  test::cut_anywhere(many(3), transcript);
}

TEST_CASE("REC-2 the writer splits texts into full records and sends nothing for nothing") {
  for (const std::size_t size :
       std::initializer_list<std::size_t>{1, 4076, 4077, 4078, 8154, 8155, 16308, 16309, 20000, 100'000}) {
    INFO("size " << size);
    BlockPool pool(64);
    ByteQueue queue(pool, 1 << 20);
    CipherScratch cipher;
    RecordWriter writer(send_key(), queue, cipher);
    REQUIRE(writer.append(Bytes{}));
    REQUIRE(writer.flush());
    REQUIRE(queue.empty());
    REQUIRE(writer.room() == 4077);
    REQUIRE(writer.append(text_of(size)));
    REQUIRE(writer.pending() == size % 4077);
    REQUIRE(writer.room() == 4077 - size % 4077);
    REQUIRE(writer.flush());
    Buffer stream = take_all(queue);
    REQUIRE(pool.in_use() == 0);
    const std::size_t records = (size + 4076) / 4077;
    REQUIRE(stream.size() == size + 19 * records);
    Reader r;
    r.reader.feed(stream);
    Buffer out;
    for (std::size_t i = 0; i < records; ++i) {
      auto text = r.reader.next();
      REQUIRE((text && *text));
      REQUIRE((*text)->size() == (i + 1 < records ? 4077 : size - 4077 * (records - 1)));
      out.insert(out.end(), (*text)->begin(), (*text)->end());
    }
    REQUIRE(out == text_of(size));
    REQUIRE_FALSE(r.reader.mid_record());
  }
}

TEST_CASE("small texts share a record until it is flushed, and the pieces of a text stay together") {
  BlockPool pool(4);
  ByteQueue queue(pool, 1 << 16);
  CipherScratch cipher;
  RecordWriter writer(send_key(), queue, cipher);
  const Buffer a = text_of(9), b = text_of(4068, 5);
  for (int round = 0; round < 9; ++round) {
    const Bytes pieces[] = {a, b};
    REQUIRE(writer.append(pieces));  // a DATA frame of the largest size: exactly one record
    REQUIRE(writer.pending() == 0);
  }
  REQUIRE(queue.size() == 9 * 4096);
  REQUIRE(pool.in_use() == 3);
  (void)take_all(queue);
  for (int i = 0; i < 100; ++i) REQUIRE(writer.append(a));
  REQUIRE(queue.empty());
  REQUIRE(writer.pending() == 900);
  REQUIRE(writer.flush());
  REQUIRE(queue.size() == 919);
}

TEST_CASE("a writer takes all or nothing, and goes on when the queue has drained") {
  BlockPool pool(2);
  ByteQueue queue(pool, 10'000);
  CipherScratch cipher;
  RecordWriter writer(send_key(), queue, cipher);
  Reader r;
  std::size_t taken = 0, refused = 0;
  Buffer got;
  for (int round = 0; round < 200; ++round) {
    const Buffer text =
        text_of(static_cast<std::size_t>(1 + round * 37 % 9000), static_cast<std::uint8_t>(round));
    auto appended = writer.append(text);
    if (!appended) {
      REQUIRE(appended.error().code == Errc::limit_exceeded);
      REQUIRE_FALSE(writer.failed());
      REQUIRE(writer.flush());
      Buffer out = take_all(queue);
      REQUIRE(out.size() <= 10'000);
      got.insert(got.end(), out.begin(), out.end());
      REQUIRE(writer.append(text));
      ++refused;
    }
    taken += text.size();
  }
  REQUIRE(writer.flush());
  Buffer out = take_all(queue);
  got.insert(got.end(), out.begin(), out.end());
  REQUIRE(refused > 10);
  r.reader.feed(got);
  std::size_t delivered = 0;
  for (;;) {
    auto text = r.reader.next();
    REQUIRE(text);
    if (!*text) break;
    delivered += (*text)->size();
  }
  REQUIRE(delivered == taken);
}

TEST_CASE("without a block the writer takes nothing of up to four records, or ends; nothing leaks") {
  std::size_t soft = 0, hard = 0;
  for (const std::size_t size : std::initializer_list<std::size_t>{100, 4077, 8000, 16308, 60'000})
    for (const std::size_t before : std::initializer_list<std::size_t>{0, 50, 3000}) {
      test::fail_every_request([&](std::size_t nth) {
        BlockPool pool(64);
        bool failed = false;
        {
          ByteQueue queue(pool, 1 << 20);
          CipherScratch cipher;
          RecordWriter writer(send_key(), queue, cipher);
          const Buffer head = text_of(before), text = text_of(size, 1);
          pool.fail_request(nth);
          bool have_head = false, have_text = false;
          if (auto appended = writer.append(head); appended) {
            have_head = true;
          } else {
            failed = true;
            REQUIRE(appended.error().code == Errc::out_of_memory);
          }
          if (auto appended = writer.append(text); appended) {
            have_text = true;
          } else {
            failed = true;
            REQUIRE(appended.error().code == Errc::out_of_memory);
            ++(writer.failed() ? hard : soft);
            if (size <= 16308) REQUIRE_FALSE(writer.failed());
          }
          pool.fail_request(0);
          if (!writer.failed()) {
            REQUIRE(writer.flush());
            Buffer stream = take_all(queue), expected, got;
            if (have_head) expected.insert(expected.end(), head.begin(), head.end());
            if (have_text) expected.insert(expected.end(), text.begin(), text.end());
            Reader r;
            r.reader.feed(stream);
            for (;;) {
              auto next = r.reader.next();
              REQUIRE(next);
              if (!*next) break;
              got.insert(got.end(), (*next)->begin(), (*next)->end());
            }
            REQUIRE(got == expected);
          }
        }
        REQUIRE(pool.in_use() == 0);
        return failed;
      });
    }
  REQUIRE(soft > 0);
  REQUIRE(hard > 0);
}

TEST_CASE("without a block a split record ends the reader; a whole one needs none") {
  Buffer stream = stream_of({text_of(100), text_of(100)});
  BlockPool pool(1);
  CipherScratch cipher;
  RecordReader reader(receive_key(), pool, cipher);
  pool.fail_request(1);
  reader.feed(std::span(stream).first(130));
  REQUIRE(reader.next());
  REQUIRE(reader.next().error() == fail(Errc::out_of_memory, 245));
  REQUIRE(reader.next().error() == fail(Errc::out_of_memory, 245));
  REQUIRE(pool.in_use() == 0);
}

TEST_CASE("through a socket of any size the same texts arrive") {
  const std::vector<Buffer> texts{text_of(1), text_of(5000), text_of(4077), text_of(30), text_of(12'000)};
  test::tiny_socket([&](std::size_t k) {
    BlockPool pool(8);
    ByteQueue queue(pool, 9'000);
    CipherScratch cipher;
    RecordWriter writer(send_key(), queue, cipher);
    RecordReader reader(receive_key(), pool, cipher);
    Buffer got;
    std::size_t at = 0, offset = 0;
    while (at < texts.size() || !queue.empty()) {
      while (at < texts.size()) {
        const Buffer& text = texts[at];
        const Bytes rest = Bytes(text).subspan(offset, std::min<std::size_t>(4000, text.size() - offset));
        if (!writer.append(rest)) break;
        offset += rest.size();
        if (offset == text.size()) ++at, offset = 0;
      }
      REQUIRE(writer.flush());
      Bytes piece;
      REQUIRE(queue.gather(std::span(&piece, 1)) == 1);
      Buffer moved(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(std::min(k, piece.size())));
      queue.consume(moved.size());
      reader.feed(moved);
      for (;;) {
        auto next = reader.next();
        REQUIRE(next);
        if (!*next) break;
        got.insert(got.end(), (*next)->begin(), (*next)->end());
      }
    }
    REQUIRE_FALSE(reader.mid_record());
    return test::hex(got);
  });
}

TEST_CASE("a record costs no allocation and an idle reader no memory") {
  BlockPool pool(32, 32);
  ByteQueue queue(pool, 1 << 20);
  CipherScratch cipher;
  RecordWriter writer(send_key(), queue, cipher);
  RecordReader reader(receive_key(), pool, cipher);
  const Buffer text = text_of(4077);
  Buffer wire(64 * max_record_size);
  std::size_t before = 0, opened = 0;
  for (int round = 0; round < 20; ++round) {
    if (round == 1) before = test::allocation_count();  // the pool has its blocks now
    for (int i = 0; i < 64; ++i)
      if (!writer.append(text)) FAIL("append");
    std::size_t n = 0;
    while (!queue.empty()) {
      Bytes piece;
      (void)queue.gather(std::span(&piece, 1));
      std::copy(piece.begin(), piece.end(), wire.begin() + static_cast<std::ptrdiff_t>(n));
      n += piece.size();
      queue.consume(piece.size());
    }
    // Cut so that a record is split every time.
    const auto drain = [&](MutableBytes in) {
      reader.feed(in);
      for (auto next = reader.next(); next && *next; next = reader.next()) ++opened;
    };
    drain(std::span(wire).first(10'000));
    drain(std::span(wire).first(n).subspan(10'000));
  }
  REQUIRE(test::allocation_count() == before);
  REQUIRE(opened == 20 * 64);
  REQUIRE(pool.in_use() == 0);
}

TEST_CASE("connections that share a thread's ciphers do not get each other's keys") {
  CipherScratch cipher;
  BlockPool pool(16);
  ByteQueue queue(pool, 1 << 20);
  Key other = key;
  other[0] = 99;
  Buffer expected_a, expected_b;
  for (std::uint64_t i = 0; i < 6; ++i) {
    const Buffer a = seal_raw(key, i, text_of(10)), b = seal_raw(other, i, text_of(10));
    expected_a.insert(expected_a.end(), a.begin(), a.end());
    expected_b.insert(expected_b.end(), b.begin(), b.end());
  }
  Buffer got_a, got_b;
  RecordReader reader_a(receive_key(), pool, cipher), reader_b(ReceiveKey::from_bytes(other), pool, cipher);
  {
    RecordWriter a(send_key(), queue, cipher), b(SendKey::from_bytes(other), queue, cipher);
    const auto write = [&](RecordWriter& writer, Buffer& got, std::size_t times) {
      for (std::size_t i = 0; i < times; ++i) {
        REQUIRE(writer.append(text_of(10)));
        REQUIRE(writer.flush());
        const Buffer out = take_all(queue);
        got.insert(got.end(), out.begin(), out.end());
      }
    };
    write(a, got_a, 1), write(b, got_b, 2), write(a, got_a, 3), write(b, got_b, 4), write(a, got_a, 2);
  }
  REQUIRE(got_a == expected_a);
  REQUIRE(got_b == expected_b);
  // Alternately, and with one that dies in between.
  for (std::size_t i = 0; i < 6; ++i) {
    {
      RecordReader stranger(receive_key(), pool, cipher);
      Buffer wrong(expected_b.begin(), expected_b.begin() + 29);
      stranger.feed(wrong);
      REQUIRE_FALSE(stranger.next());
    }
    reader_a.feed(std::span(expected_a).subspan(i * 29, 29));
    REQUIRE(reader_a.next());
    REQUIRE(reader_a.next());
    reader_b.feed(std::span(expected_b).subspan(i * 29, 29));
    REQUIRE(reader_b.next());
    REQUIRE(reader_b.next());
  }
}

TEST_CASE("a spent key, and bytes fed before the last ones are used up, are misuse") {
  BlockPool pool(2);
  ByteQueue queue(pool, 1 << 16);
  CipherScratch cipher;
  auto send = send_key();
  auto receive = receive_key();
  const SendKey moved_send = std::move(send);
  const ReceiveKey moved_receive = std::move(receive);
  REQUIRE(moved_send.counter() == 0);
  REQUIRE(test::hex(send.reveal_bytes()) == std::string(64, '0'));
  RecordWriter writer(std::move(send), queue, cipher);
  RecordReader reader(std::move(receive), pool, cipher);
  REQUIRE(writer.append(text_of(1)).error() == fail(Errc::misuse, 260));
  REQUIRE(writer.flush().error() == fail(Errc::misuse, 260));
  REQUIRE(reader.next().error() == fail(Errc::misuse, 240));

  Buffer stream = stream_of({text_of(1), text_of(2)});
  RecordReader good(receive_key(), pool, cipher);
  good.feed(stream);
  REQUIRE(good.next());
  good.feed(stream);
  REQUIRE(good.next().error() == fail(Errc::misuse, 241));
}
