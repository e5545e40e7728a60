// SPDX-License-Identifier: BSD-3-Clause
// JSON for the reports of programs.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace ts2021::app {

// Puts commas where they belong; valid when calls are balanced and every value in an object has a name. Text
// may come from a stranger: what is not printable ASCII becomes '?'.
class JsonText {
 public:
  JsonText& begin_object() { return open('{'); }
  JsonText& end_object() { return close('}'); }
  JsonText& begin_array() { return open('['); }
  JsonText& end_array() { return close(']'); }
  JsonText& name(std::string_view name);

  JsonText& value(std::string_view text);
  JsonText& value(const char* text) { return value(std::string_view(text)); }
  JsonText& value(bool value) { return word(value ? "true" : "false"); }
  JsonText& value(double value);  // at most six digits behind the point; null for what JSON can't say
  template <std::integral T>
  JsonText& value(T value) {
    return word(std::to_string(value));
  }
  template <class T>
  JsonText& member(std::string_view its_name, const T& its_value) {
    return name(its_name).value(its_value);
  }

  [[nodiscard]] const std::string& text() const noexcept { return out_; }

 private:
  JsonText& open(char bracket);
  JsonText& close(char bracket);
  JsonText& word(std::string_view word);
  void quote(std::string_view text);
  void separate();

  std::string out_;
  bool comma_ = false;  // a value stands before
};

}  // namespace ts2021::app
