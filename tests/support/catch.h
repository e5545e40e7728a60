// SPDX-License-Identifier: BSD-3-Clause
// Catch2, version 2 or 3, and printing of our error type.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <ostream>
#include <string>

#include "ts2021/base/error.h"

namespace ts2021 {
inline std::ostream& operator<<(std::ostream& out, const Error& error) {
  return out << name(error.code) << " (check " << error.origin << ", detail " << error.detail << ")";
}
inline std::ostream& operator<<(std::ostream& out, Errc code) { return out << name(code); }
}  // namespace ts2021
