// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/base/error.h"

namespace ts2021 {
namespace {

struct Row {
  std::uint16_t number;
  std::string_view name;
  Blame blame;
  std::string_view text;
};

constexpr Row rows[] = {
#define TS2021_ERROR(number, name, blame, text) {number, #name, Blame::blame, text},
#include "ts2021/base/error.def"
#undef TS2021_ERROR
};

const Row* find(Errc code) noexcept {
  for (const Row& row : rows)
    if (row.number == static_cast<std::uint16_t>(code)) return &row;
  return nullptr;
}

}  // namespace

std::string_view text(Errc code) noexcept {
  const Row* row = find(code);
  return row ? row->text : "unknown error";
}

std::string_view name(Errc code) noexcept {
  const Row* row = find(code);
  return row ? row->name : "unknown";
}

Blame blame(Errc code) noexcept {
  const Row* row = find(code);
  return row ? row->blame : Blame::us;
}

}  // namespace ts2021
