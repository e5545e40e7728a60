// SPDX-License-Identifier: BSD-3-Clause
// Records of a tailnet as bytes: one list of members for each, walked alike by who writes and who reads. In
// the byte order of this machine.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "ts2021/coord/record.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/hostinfo.h"
#include "ts2021/msg/node.h"

namespace example {

// Writes what it is given to `out`, or fills it from `in`. Reading what is no record makes ok() false.
class Archive {
 public:
  explicit Archive(std::string& out) : out_(&out) {}
  explicit Archive(std::string_view in) : in_(in) {}

  template <class... T>
  void operator()(T&... values) {
    (each(values), ...);
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::string_view rest() const { return in_; }

 private:
  // Numbers, keys, times.
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void each(T& value) { raw(&value, sizeof value); }
  void each(bool& value) {
    auto byte = static_cast<std::uint8_t>(value);
    each(byte);
    value = byte != 0;
  }
  void each(std::string& text) {
    resize(text);
    raw(text.data(), text.size());
  }
  // What has a text form of its own.
  void each(ts2021::IpPort& value) { as_text(value); }
  void each(ts2021::IpPrefix& value) { as_text(value); }
  void each(ts2021::RawJson& value) { as_text(value); }
  void each(ts2021::SharedBytes& value) {
    std::vector<std::uint8_t> bytes = out_ ? *value : std::vector<std::uint8_t>();
    each(bytes);
    if (!out_) value = ts2021::share(std::move(bytes));
  }
  template <class T>
  void each(std::optional<T>& value) {
    bool there = value.has_value();
    each(there);
    if (there) each(out_ ? *value : value.emplace());
  }
  template <class T>
  void each(std::vector<T>& list) {
    resize(list);
    for (T& element : list) each(element);
  }
  template <class T>
  void each(std::map<std::string, T>& map) {
    std::vector<std::string> names;
    for (const auto& [name, value] : map) names.push_back(name);
    each(names);
    for (const std::string& name : names) each(map[name]);
  }
  // Messages, as JSON.
  template <class T>
  void each(std::shared_ptr<const T>& message) {
    std::string json = out_ && message ? ts2021::encoded(*message) : "";
    each(json);
    if (out_ || json.empty()) return;
    auto read = ts2021::decode_copy<T>(ts2021::as_bytes(json));
    if (read)
      message = std::make_shared<const T>(*std::move(read));
    else
      ok_ = false;
  }

  template <class T>
  void as_text(T& value) {
    std::string text(out_ ? value.text() : std::string());
    each(text);
    if (out_ || text.empty()) return;
    if (auto read = T::parse(text))
      value = *std::move(read);
    else
      ok_ = false;
  }
  // No list is longer than the bytes that follow it.
  template <class List>
  void resize(List& list) {
    auto size = static_cast<std::uint32_t>(list.size());
    each(size);
    if (!out_ && size > in_.size()) ok_ = false;
    if (!out_) list.resize(ok_ ? size : 0);
  }
  void raw(void* at, std::size_t size) {
    if (size == 0) return;
    if (out_) {
      out_->append(static_cast<const char*>(at), size);
    } else if (!ok_ || size > in_.size()) {
      ok_ = false;
    } else {
      std::memcpy(at, in_.data(), size);
      in_.remove_prefix(size);
    }
  }

  std::string* out_ = nullptr;
  std::string_view in_;
  bool ok_ = true;
};

inline void walk(Archive& a, ts2021::NodeRecord& r) {
  a(r.id, r.stable_id, r.machine, r.key, r.disco, r.lock_key, r.key_signature, r.user, r.tags,
    r.requested_tags);
  a(r.given_name, r.name_is_set, r.hostname, r.full_name, r.v4, r.hostinfo, r.endpoints, r.endpoint_types);
  a(r.home_derp, r.capability, r.created, r.key_expiry, r.last_seen, r.ephemeral, r.authorized, r.auth_key);
  a(r.approved_routes, r.capabilities, r.attributes, r.put);
}
inline void walk(Archive& a, ts2021::UserRecord& r) {
  a(r.id, r.login_name, r.display_name, r.provider, r.created);
}
inline void walk(Archive& a, ts2021::AuthKeyRecord& r) {
  a(r.id, r.digest, r.user, r.tags, r.reusable, r.ephemeral, r.preauthorized, r.used, r.revoked, r.preset);
  a(r.created, r.expiry);
}
inline void walk(Archive& a, ts2021::SettingRecord& r) { a(r.id, r.next_id); }
inline void walk(Archive& a, ts2021::LockRecord& r) {
  a(r.updates, r.disablement_secret, r.support_disablement, r.candidate, r.candidate_by);
}

// Its kind in front.
inline void write_record(Archive& a, const ts2021::Record& record) {
  auto which = ts2021::kind(record);
  a(which);
  std::visit([&](auto copy) { walk(a, copy); }, record);
}
// Null: it is none.
inline ts2021::RecordPtr read_record(Archive& a) {
  ts2021::RecordKind which{};
  a(which);
  const auto read = [&]<class T>(T made) -> ts2021::RecordPtr {
    walk(a, made);
    return a.ok() ? std::make_shared<const ts2021::Record>(std::move(made)) : nullptr;
  };
  switch (which) {
    case ts2021::RecordKind::node:
      return read(ts2021::NodeRecord{});
    case ts2021::RecordKind::user:
      return read(ts2021::UserRecord{});
    case ts2021::RecordKind::auth_key:
      return read(ts2021::AuthKeyRecord{});
    case ts2021::RecordKind::setting:
      return read(ts2021::SettingRecord{});
    case ts2021::RecordKind::lock:
      return read(ts2021::LockRecord{});
  }
  return nullptr;
}

}  // namespace example
