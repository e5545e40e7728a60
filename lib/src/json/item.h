// SPDX-License-Identifier: BSD-3-Clause
// A value of a text for people that knows where it stands, so that a refusal can say so.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "json/reader.h"

namespace ts2021::json {

// The first thing that is wrong.
struct Refusal {
  std::string message;              // empty: nothing yet
  std::vector<std::uint32_t> path;  // as locate() takes it
  bool of_name = false;
};

// A piece of the file, shortened, in quotes.
[[nodiscard]] std::string quoted(std::string_view text);

// Every function that returns bool returns false once the file is refused; the caller passes it on.
class Item {
 public:
  Item(Value value, Refusal& refusal) noexcept : value_(value), refusal_(refusal) {}

  [[nodiscard]] Value value() const noexcept { return value_; }
  [[nodiscard]] bool is_object() const noexcept { return value_.type() == Type::object; }

  [[nodiscard]] bool read(std::string_view& out) const;
  [[nodiscard]] bool read(bool& out) const;
  [[nodiscard]] bool read(std::uint64_t& out) const;
  // The elements of an array.
  [[nodiscard]] bool elements(const std::function<bool(const Item&)>& take) const;
  [[nodiscard]] bool texts(const std::function<bool(std::string_view, const Item&)>& take) const;
  // The members of an object whose names the format knows: given in lower case, whatever case they have;
  // members that are null are skipped.
  [[nodiscard]] bool members(const std::function<bool(std::string_view, const Item&)>& take) const;
  // The members of an object whose names the user chose.
  [[nodiscard]] bool entries(const std::function<bool(std::string_view, const Item&)>& take) const;

  // Always false.
  [[nodiscard]] bool refuse(std::string message) const;
  [[nodiscard]] bool refuse_name(std::string message) const;  // points at the member's name
  [[nodiscard]] bool unknown() const;                         // a member that nobody knows
  [[nodiscard]] bool unsupported(std::string_view why) const;

 private:
  Item(Value value, const Item& parent, std::uint32_t step, std::string_view name) noexcept
      : value_(value), refusal_(parent.refusal_), parent_(&parent), step_(step), name_(name) {}
  [[nodiscard]] bool wants(std::string_view what) const;

  Value value_;
  Refusal& refusal_;
  const Item* parent_ = nullptr;
  std::uint32_t step_ = 0;
  std::string_view name_;
};

}  // namespace ts2021::json
