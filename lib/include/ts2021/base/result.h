// SPDX-License-Identifier: BSD-3-Clause
// Result<T>: a value or an Error, with the spelling of std::expected (which gcc 12 lacks).
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "ts2021/base/error.h"

namespace ts2021 {

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = Error;

  constexpr Result(T value) noexcept : state_(std::in_place_index<0>, std::move(value)) {
    static_assert(std::is_nothrow_move_constructible_v<T>);
  }
  constexpr Result(Error error) noexcept : state_(std::in_place_index<1>, error) {}

  [[nodiscard]] constexpr bool has_value() const noexcept { return state_.index() == 0; }
  constexpr explicit operator bool() const noexcept { return has_value(); }

  // Precondition: has_value().
  [[nodiscard]] constexpr T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  [[nodiscard]] constexpr const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  [[nodiscard]] constexpr T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  constexpr T* operator->() noexcept { return std::get_if<0>(&state_); }
  constexpr const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  // Precondition: !has_value().
  [[nodiscard]] constexpr const Error& error() const noexcept { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  using error_type = Error;

  constexpr Result() noexcept = default;
  constexpr Result(Error error) noexcept : error_(error) {}
  [[nodiscard]] constexpr bool has_value() const noexcept { return !error_; }
  constexpr explicit operator bool() const noexcept { return has_value(); }
  [[nodiscard]] constexpr const Error& error() const noexcept { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace ts2021
