// SPDX-License-Identifier: BSD-3-Clause
// The faults on demand.
#include "admin/handlers.h"
#include "ts2021/admin/fault.h"

namespace ts2021::admin {

Outcome show_faults(Call& call) {
  const auto& book = call.state.faults;
  return json_reply(book ? book->json() : "[]");
}

Outcome put_faults(Call& call) {
  if (call.request.body == "null") return remove_faults(call);
  auto parsed = FaultBook::parse(call.request.body);
  if (!parsed) {
    const FaultError& wrong = parsed.error;
    return error_reply(
        400, std::to_string(wrong.line) + ":" + std::to_string(wrong.column) + ": " + wrong.message);
  }
  call.state.faults = std::move(parsed.book);
  return Reply{};
}

Outcome remove_faults(Call& call) {
  call.state.faults.reset();
  return Reply{};
}

}  // namespace ts2021::admin
