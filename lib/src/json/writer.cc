// SPDX-License-Identifier: BSD-3-Clause
#include "json/writer.h"

#include <array>
#include <charconv>
#include <cmath>

namespace ts2021::json {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

// Bytes of the valid UTF-8 sequence at the front of `text`, 0 when there is none.
std::size_t sequence_size(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1, 0x80, 0xbf) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;   // no overlong forms
    const unsigned high = first == 0xed ? 0x9f : 0xbf;  // no surrogates
    return continues(1, low, high) && continues(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xf4 ? 0x8f : 0xbf;  // up to U+10FFFF
    return continues(1, low, high) && continues(2, 0x80, 0xbf) && continues(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

constexpr auto plain = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0x20; i < 0x80; ++i) table[i] = i != '"' && i != '\\';
  return table;
}();

void append_escaped(std::string_view text, std::string& out) {
  while (!text.empty()) {
    std::size_t run = 0;
    while (run < text.size() && plain[static_cast<unsigned char>(text[run])]) ++run;
    out.append(text.substr(0, run));
    text.remove_prefix(run);
    if (text.empty()) return;
    const unsigned char byte = static_cast<unsigned char>(text[0]);
    std::size_t taken = 1;
    if (byte >= 0x80) {
      if (const std::size_t size = sequence_size(text); size != 0) {
        out.append(text.substr(0, size));
        taken = size;
      } else {
        out.append(replacement);
      }
    } else if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[0];
    } else if (byte == '\n') {
      out.append("\\n");
    } else if (byte == '\r') {
      out.append("\\r");
    } else if (byte == '\t') {
      out.append("\\t");
    } else {
      constexpr std::string_view digits = "0123456789abcdef";
      out.append("\\u00");
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
    text.remove_prefix(taken);
  }
}

template <class Number>
void append_number(Number value, std::string& out) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

}  // namespace

void Writer::comma() {
  if (out_.size() == start_) return;
  const char last = out_.back();
  if (last != '{' && last != '[' && last != ':') out_ += ',';
}

void Writer::plain_name(std::string_view name) {
  comma();
  out_ += '"';
  out_.append(name);
  out_.append("\":");
}

void Writer::name(std::string_view name) {
  string(name);
  out_ += ':';
}

void Writer::string(std::string_view text) {
  comma();
  out_ += '"';
  append_escaped(text, out_);
  out_ += '"';
}

void Writer::integer(std::int64_t value) {
  comma();
  append_number(value, out_);
}
void Writer::integer(std::uint64_t value) {
  comma();
  append_number(value, out_);
}
void Writer::floating(double value) {
  comma();
  const std::size_t start = out_.size();
  append_number(std::isfinite(value) ? value : 0.0, out_);
  // A long run of digits would read as an integer out of range.
  if (out_.size() - start < 18 || out_.find_first_of(".e", start) != std::string::npos) return;
  out_.resize(start);
  std::array<char, 32> text;
  out_.append(
      text.data(),
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific).ptr);
}
void Writer::boolean(bool value) { raw(value ? "true" : "false"); }
void Writer::null() { raw("null"); }
void Writer::raw(std::string_view json) {
  comma();
  out_.append(json);
}

void write(Value value, Writer& writer) {
  switch (value.type()) {
    case Type::null:
      return writer.null();
    case Type::boolean: {
      bool flag = false;
      (void)value.get(flag);
      return writer.boolean(flag);
    }
    case Type::integer: {
      std::int64_t small = 0;
      if (value.get(small)) return writer.integer(small);
      std::uint64_t big = 0;
      (void)value.get(big);
      return writer.integer(big);
    }
    case Type::floating: {
      double number = 0;
      (void)value.get(number);
      return writer.floating(number);
    }
    case Type::string: {
      std::string_view text;
      (void)value.get(text);
      return writer.string(text);
    }
    case Type::array: {
      writer.begin_array();
      ArrayCursor items(value);
      for (Value item; items.next(item);) write(item, writer);
      return writer.end_array();
    }
    case Type::object: {
      writer.begin_object();
      ObjectCursor members(value);
      std::string_view name;
      for (Value item; members.next(name, item);) {
        writer.name(name);
        write(item, writer);
      }
      return writer.end_object();
    }
  }
}

}  // namespace ts2021::json
