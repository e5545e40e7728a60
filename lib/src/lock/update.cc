// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/lock/update.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/try.h"
#include "crypto/blake2s.h"
#include "crypto/ed25519.h"
#include "lock/cbor.h"
#include "lock/rules.h"

namespace ts2021::lock {
namespace {

using cbor::Kind;
using cbor::Reader;
using cbor::Writer;

// Names of members. LCK-1: ascending in a map, and what is empty is left out except where noted.
namespace aum {
enum : std::uint8_t {
  kind = 1,
  parent = 2,
  key = 3,
  key_id = 4,
  state = 5,
  votes = 6,
  meta = 7,
  signatures = 23
};
}
namespace key {
enum : std::uint8_t { kind = 1, votes = 2, id = 3, meta = 12 };
}
namespace state {
enum : std::uint8_t { last = 1, disablement_values = 2, keys = 3, id1 = 4, id2 = 5 };
}
namespace signature {
enum : std::uint8_t { key_id = 1, bytes = 2 };
}
constexpr std::uint8_t ed25519_kind = 1;

// The names and values of more than this can't fit max_meta_size, but for an empty pair.
constexpr std::size_t max_meta_count = max_meta_size + 1;

Result<void> unknown_member() noexcept { return fail(Errc::bad_cbor, 1231); }

template <std::size_t N>
Result<void> read_exactly(Reader& in, std::array<std::uint8_t, N>& out) {
  TS_TRY(bytes, in.bytes());
  if (bytes.size() != N) return fail(Errc::bad_lock_update, 1232);
  std::ranges::copy(bytes, out.begin());
  return {};
}

Result<void> read_bytes(Reader& in, std::vector<std::uint8_t>& out) {
  TS_TRY(bytes, in.bytes());
  out.assign(bytes.begin(), bytes.end());
  return {};
}

Result<void> read_number(Reader& in, std::uint64_t& out) {
  TS_TRY(number, in.unsigned_integer());
  out = number;
  return {};
}

Result<void> read_meta(Reader& in, Meta& out) {
  TS_TRY(count, in.count(Kind::map, max_meta_count));
  for (std::size_t i = 0; i < count; ++i) {
    TS_TRY(name, in.text());
    TS_TRY(value, in.text());
    out.insert_or_assign(std::string(name), std::string(value));
  }
  return {};
}

Result<void> read_key(Reader& in, Key& out) {
  std::uint64_t kind = 0;
  TS_CHECK(in.map(4, [&](std::uint64_t member) -> Result<void> {
    switch (member) {
      case key::kind:
        return read_number(in, kind);
      case key::votes:
        return read_number(in, out.votes);
      case key::id:
        return read_bytes(in, out.id);
      case key::meta:
        return read_meta(in, out.meta);
      default:
        return unknown_member();
    }
  }));
  if (kind != ed25519_kind) return fail(Errc::bad_lock_update, 1233);
  return {};
}

Result<void> read_state(Reader& in, State& out) {
  return in.map(5, [&](std::uint64_t member) -> Result<void> {
    switch (member) {
      case state::last:  // always null: a checkpoint stands for itself
        if (!in.null()) return fail(Errc::bad_lock_update, 1234);
        return {};
      case state::disablement_values:
        return in.list(max_disablement_values,
                       [&] { return read_exactly(in, out.disablement_values.emplace_back()); });
      case state::keys:
        return in.list(max_keys, [&] { return read_key(in, out.keys.emplace_back()); });
      case state::id1:
        return read_number(in, out.id1);
      case state::id2:
        return read_number(in, out.id2);
      default:
        return unknown_member();
    }
  });
}

Result<void> read_signature(Reader& in, AUMSignature& out) {
  return in.map(2, [&](std::uint64_t member) -> Result<void> {
    switch (member) {
      case signature::key_id:
        return read_exactly(in, out.key_id);
      case signature::bytes:
        return read_exactly(in, out.signature);
      default:
        return unknown_member();
    }
  });
}

void write_meta(Writer& out, const Meta& meta) {
  out.map(meta.size());
  for (const auto& [name, value] : meta) {
    out.text(name);
    out.text(value);
  }
}

void write_key(Writer& out, const Key& value) {
  out.map(value.meta.empty() ? 3 : 4);
  out.unsigned_integer(key::kind);
  out.unsigned_integer(ed25519_kind);
  out.unsigned_integer(key::votes);
  out.unsigned_integer(value.votes);
  out.unsigned_integer(key::id);
  out.bytes(value.id);
  if (!value.meta.empty()) {
    out.unsigned_integer(key::meta);
    write_meta(out, value.meta);
  }
}

void write_state(Writer& out, const State& value) {
  out.map(3u + (value.id1 != 0) + (value.id2 != 0));
  out.unsigned_integer(state::last);
  out.null();
  out.unsigned_integer(state::disablement_values);
  out.list(value.disablement_values.size());
  for (const DisablementValue& one : value.disablement_values) out.bytes(one);
  out.unsigned_integer(state::keys);
  out.list(value.keys.size());
  for (const Key& one : value.keys) write_key(out, one);
  if (value.id1 != 0) {
    out.unsigned_integer(state::id1);
    out.unsigned_integer(value.id1);
  }
  if (value.id2 != 0) {
    out.unsigned_integer(state::id2);
    out.unsigned_integer(value.id2);
  }
}

std::vector<std::uint8_t> write(const AUM& update, std::span<const AUMSignature> signatures) {
  Writer out;
  out.map(2u + update.key.has_value() + !update.key_id.empty() + update.state.has_value() +
          update.votes.has_value() + !update.meta.empty() + !signatures.empty());
  out.unsigned_integer(aum::kind);
  out.unsigned_integer(static_cast<std::uint8_t>(update.kind));
  out.unsigned_integer(aum::parent);  // null in a genesis
  if (update.parent)
    out.bytes(update.parent->bytes);
  else
    out.null();
  if (update.key) {
    out.unsigned_integer(aum::key);
    write_key(out, *update.key);
  }
  if (!update.key_id.empty()) {
    out.unsigned_integer(aum::key_id);
    out.bytes(update.key_id);
  }
  if (update.state) {
    out.unsigned_integer(aum::state);
    write_state(out, *update.state);
  }
  if (update.votes) {
    out.unsigned_integer(aum::votes);
    out.unsigned_integer(*update.votes);
  }
  if (!update.meta.empty()) {
    out.unsigned_integer(aum::meta);
    write_meta(out, update.meta);
  }
  if (!signatures.empty()) {
    out.unsigned_integer(aum::signatures);
    out.list(signatures.size());
    for (const AUMSignature& one : signatures) {
      out.map(2);
      out.unsigned_integer(signature::key_id);
      out.bytes(one.key_id);
      out.unsigned_integer(signature::bytes);
      out.bytes(one.signature);
    }
  }
  return out.take();
}

}  // namespace

Result<AUM> AUM::decode(Bytes bytes) {
  Reader in(bytes);
  AUM update;
  std::uint64_t kind = 0;
  TS_CHECK(in.map(8, [&](std::uint64_t member) -> Result<void> {
    switch (member) {
      case aum::kind:
        return read_number(in, kind);
      case aum::parent:
        if (in.null()) return {};
        return read_exactly(in, update.parent.emplace().bytes);
      case aum::key:
        return read_key(in, update.key.emplace());
      case aum::key_id:
        return read_bytes(in, update.key_id);
      case aum::state:
        return read_state(in, update.state.emplace());
      case aum::votes:
        return read_number(in, update.votes.emplace());
      case aum::meta:
        return read_meta(in, update.meta);
      case aum::signatures:
        return in.list(max_signatures, [&] { return read_signature(in, update.signatures.emplace_back()); });
      default:
        return unknown_member();
    }
  }));
  update.kind = static_cast<AUMKind>(kind);  // a number that is cut here comes out otherwise below
  // LCK-1: order, shortest integers, no empty members, nothing twice, nothing behind it.
  if (!std::ranges::equal(update.encode(), bytes)) return fail(Errc::bad_cbor, 1235);
  TS_CHECK(check(update));
  return update;
}

std::vector<std::uint8_t> AUM::encode() const { return write(*this, signatures); }

AUMHash AUM::hash() const {
  AUMHash out;
  crypto::blake2s(out.bytes, {encode()});  // LCK-2
  return out;
}

Digest AUM::signing_hash() const {
  Digest out;
  crypto::blake2s(out, {write(*this, {})});  // LCK-3
  return out;
}

void AUM::sign(const TailnetLockPrivate& with) {
  const TailnetLockPublic open = with.public_key();
  AUMSignature made;
  std::ranges::copy(open.bytes(), made.key_id.begin());
  crypto::ed25519_sign(made.signature, signing_hash(), with.reveal_bytes());
  signatures.push_back(made);
}

}  // namespace ts2021::lock
