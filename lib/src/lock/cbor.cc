// SPDX-License-Identifier: BSD-3-Clause
#include "lock/cbor.h"

#include <cbor.h>

#include "json/reader.h"

namespace ts2021::lock::cbor {

namespace {

// Longest head of an item.
constexpr std::size_t max_head = 9;

struct Item {
  Kind kind = Kind::other;
  std::uint64_t value = 0;  // or how many
  Bytes payload;
  std::size_t size = 0;  // bytes in the input
};

template <class Integer>
void on_integer(void* item, Integer value) {
  static_cast<Item*>(item)->kind = Kind::unsigned_integer;
  static_cast<Item*>(item)->value = value;
}
template <Kind K>
void on_string(void* item, cbor_data data, std::size_t size) {
  static_cast<Item*>(item)->kind = K;
  static_cast<Item*>(item)->payload = Bytes(data, size);
}
template <Kind K>
void on_collection(void* item, std::size_t size) {
  static_cast<Item*>(item)->kind = K;
  static_cast<Item*>(item)->value = size;
}
void on_null(void* item) { static_cast<Item*>(item)->kind = Kind::null; }

// What has no callback here stays Kind::other.
cbor_callbacks callbacks() noexcept {
  cbor_callbacks out = cbor_empty_callbacks;
  out.uint8 = on_integer;
  out.uint16 = on_integer;
  out.uint32 = on_integer;
  out.uint64 = on_integer;
  out.byte_string = on_string<Kind::bytes>;
  out.string = on_string<Kind::text>;
  out.array_start = on_collection<Kind::list>;
  out.map_start = on_collection<Kind::map>;
  out.null = on_null;
  return out;
}

// libcbor's decoder of one item, which needs no memory and calls back once.
bool peek(Bytes in, Item& item) noexcept {
  static const cbor_callbacks table = callbacks();
  if (in.empty()) return false;
  const cbor_decoder_result result = cbor_stream_decode(in.data(), in.size(), &table, &item);
  item.size = result.read;
  return result.status == CBOR_DECODER_FINISHED;
}

}  // namespace

Result<std::uint64_t> Reader::unsigned_integer() noexcept {
  Item item;
  if (!peek(rest_, item) || item.kind != Kind::unsigned_integer) return fail(Errc::bad_cbor, 1200);
  rest_ = rest_.subspan(item.size);
  return item.value;
}

Result<Bytes> Reader::bytes() noexcept {
  Item item;
  if (!peek(rest_, item) || item.kind != Kind::bytes) return fail(Errc::bad_cbor, 1201);
  rest_ = rest_.subspan(item.size);
  return item.payload;
}

Result<std::string_view> Reader::text() noexcept {
  Item item;
  if (!peek(rest_, item) || item.kind != Kind::text || !json::valid_utf8(item.payload))
    return fail(Errc::bad_cbor, 1202);
  rest_ = rest_.subspan(item.size);
  return as_text(item.payload);
}

Result<std::size_t> Reader::count(Kind kind, std::size_t max) noexcept {
  Item item;
  if (!peek(rest_, item) || item.kind != kind) return fail(Errc::bad_cbor, 1203);
  if (item.value > max) return fail(Errc::limit_exceeded, 1204);
  rest_ = rest_.subspan(item.size);
  return static_cast<std::size_t>(item.value);
}

bool Reader::null() noexcept {
  Item item;
  if (!peek(rest_, item) || item.kind != Kind::null) return false;
  rest_ = rest_.subspan(item.size);
  return true;
}

void Writer::unsigned_integer(std::uint64_t value) {
  unsigned char head[max_head];
  append({head, cbor_encode_uint(value, head, sizeof head)});
}

void Writer::bytes(Bytes value) {
  unsigned char head[max_head];
  append({head, cbor_encode_bytestring_start(value.size(), head, sizeof head)});
  append(value);
}

void Writer::text(std::string_view value) {
  unsigned char head[max_head];
  append({head, cbor_encode_string_start(value.size(), head, sizeof head)});
  append(as_bytes(value));
}

void Writer::list(std::size_t size) {
  unsigned char head[max_head];
  append({head, cbor_encode_array_start(size, head, sizeof head)});
}

void Writer::map(std::size_t size) {
  unsigned char head[max_head];
  append({head, cbor_encode_map_start(size, head, sizeof head)});
}

void Writer::null() {
  unsigned char head[max_head];
  append({head, cbor_encode_null(head, sizeof head)});
}

}  // namespace ts2021::lock::cbor
