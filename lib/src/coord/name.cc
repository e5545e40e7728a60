// SPDX-License-Identifier: BSD-3-Clause
#include "coord/name.h"

#include <algorithm>

namespace ts2021::coord {
namespace {

constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr char lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

bool ends_with_folded(std::string_view text, std::string_view suffix) {
  if (text.size() < suffix.size()) return false;
  text.remove_prefix(text.size() - suffix.size());
  for (std::size_t i = 0; i < suffix.size(); ++i)
    if (lower(text[i]) != suffix[i]) return false;
  return true;
}

std::string cut(std::string_view label, std::size_t size) {
  label = label.substr(0, size);
  while (!label.empty() && label.back() == '-') label.remove_suffix(1);
  return std::string(label);
}

}  // namespace

std::string label_from_hostname(std::string_view hostname, NodeId id) {  // API-33
  for (const std::string_view suffix : {".local", ".localdomain", ".lan"})
    if (ends_with_folded(hostname, suffix)) {
      hostname.remove_suffix(suffix.size());
      break;
    }
  std::string label;
  for (const char raw : hostname) {
    if (label.size() > max_label_size) break;
    const char c = lower(raw);
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    const bool dash = c == ' ' || c == '.' || c == '@' || c == '_';
    if (!kept && !dash) continue;
    if (label.empty() && (dash || c == '-')) continue;
    label += dash ? '-' : c;
  }
  label = cut(label, max_label_size);
  if (label.empty() || label == "localhost") return "node-" + std::to_string(static_cast<std::uint64_t>(id));
  return label;
}

bool is_label(std::string_view text) noexcept {
  return !text.empty() && text.size() <= max_label_size && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

std::string NameTable::allocate(std::string_view label, NodeId holder) {  // API-34
  std::string name(label);
  if (take(name, holder)) return name;
  for (;;) {
    const std::string suffix = "-" + std::to_string(holders_.find(std::string(label))->second.next++);
    name = cut(label, max_label_size - suffix.size()) + suffix;
    if (take(name, holder)) return name;
  }
}

bool NameTable::take(const std::string& label, NodeId holder) {
  return holders_.try_emplace(label, Holder{holder}).first->second.node == holder;
}

void NameTable::release(const std::string& label, NodeId holder) {
  const auto at = holders_.find(label);
  if (at != holders_.end() && at->second.node == holder) holders_.erase(at);
}

}  // namespace ts2021::coord
