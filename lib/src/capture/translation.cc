// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/capture/translation.h"

#include <algorithm>
#include <array>

#include "json/reader.h"
#include "ts2021/key/key.h"

namespace ts2021 {
namespace {

constexpr std::size_t digits_size = 64;

struct Kind {
  std::string_view prefix;
  std::string (*fresh)(Entropy&);
};
template <class Private>
std::string fresh(Entropy& entropy) {
  return Private::generate(entropy).public_key().text();
}
constexpr std::array<Kind, 4> kinds = {{{"mkey:", &fresh<MachinePrivate>},
                                        {"nodekey:", &fresh<NodePrivate>},
                                        {"discokey:", &fresh<DiscoPrivate>},
                                        {"nlpub:", &fresh<TailnetLockPrivate>}}};

// The key text at the front, or nothing.
const Kind* key_at(std::string_view text, std::size_t& size) {
  for (const Kind& kind : kinds) {
    if (!text.starts_with(kind.prefix)) continue;
    const std::string_view digits = text.substr(kind.prefix.size(), digits_size);
    size = kind.prefix.size() + digits_size;
    if (digits.size() == digits_size &&
        digits.find_first_not_of("0123456789abcdef") == std::string_view::npos)
      return &kind;
  }
  return nullptr;
}

bool is_zero(std::string_view key) {
  return key.substr(key.find(':') + 1).find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

void Translation::add(std::string_view recorded, std::string_view now) {
  if (recorded.empty() || now.empty()) return;
  std::size_t size = 0;
  const bool is_key = key_at(recorded, size) && size == recorded.size();
  if (is_key && is_zero(recorded)) return;
  (is_key ? keys_ : words_).emplace(recorded, now);
}

void Translation::add_keys(Bytes recorded, Bytes now) {
  json::Document old_document, new_document;
  const auto old_value = old_document.parse_copy(recorded), new_value = new_document.parse_copy(now);
  if (!old_value || !new_value || old_value->type() != json::Type::object ||
      new_value->type() != json::Type::object)
    return;
  json::ObjectCursor old_members(*old_value);
  std::string_view name, other, was, is;
  json::Value value;
  while (old_members.next(name, value)) {
    std::size_t old_size = 0, new_size = 0;
    if (!value.get(was) || !key_at(was, old_size) || old_size != was.size()) continue;
    json::ObjectCursor new_members(*new_value);
    while (new_members.next(other, value))
      if (other == name && value.get(is) && key_at(is, new_size) == key_at(was, old_size) &&
          new_size == is.size())
        add(was, is);
  }
}

std::string Translation::apply(std::string_view text, Entropy* entropy) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t size = 0;
    if (const Kind* const kind = key_at(text, size)) {
      const std::string_view key = text.substr(0, size);
      auto known = keys_.find(key);
      if (known == keys_.end() && entropy && !is_zero(key))
        known = keys_.emplace(key, kind->fresh(*entropy)).first;
      out.append(known == keys_.end() ? key : std::string_view(known->second));
      text.remove_prefix(size);
      continue;
    }
    const auto word = std::find_if(words_.rbegin(), words_.rend(),
                                   [text](const auto& w) { return text.starts_with(w.first); });
    out.append(word == words_.rend() ? text.substr(0, 1) : std::string_view(word->second));
    text.remove_prefix(word == words_.rend() ? 1 : word->first.size());
  }
  return out;
}

}  // namespace ts2021
