// SPDX-License-Identifier: BSD-3-Clause
// TS_TRY(name, expr): `name` is the value of a Result, or the enclosing function returns the error.
#pragma once

#define TS_CONCAT_(a, b) a##b
#define TS_CONCAT(a, b) TS_CONCAT_(a, b)
#define TS_TRY_(holder, name, expr)   \
  auto holder = (expr);               \
  if (!holder) return holder.error(); \
  [[maybe_unused]] auto& name = *holder
#define TS_TRY(name, expr) TS_TRY_(TS_CONCAT(ts_try_, __LINE__), name, expr)

// For Result<void>.
#define TS_CHECK(expr)                                                 \
  do {                                                                 \
    if (auto ts_check_ = (expr); !ts_check_) return ts_check_.error(); \
  } while (false)
