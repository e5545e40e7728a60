// SPDX-License-Identifier: BSD-3-Clause
// The calls of the tailnet lock: the coordinator decides, here its answer is written.
#include "service/handlers.h"

namespace ts2021::service {
namespace {

void answered(Exchange& exchange, const answer::LockReply& reply) {
  std::visit([&](const auto& message) { exchange.reply_json(message); }, reply.message);
}

}  // namespace

template <class Request>
void on_lock(Call& call, std::shared_ptr<const Request> request) {
  call.ask<&answered>(question::Lock{std::move(request)});
}

template void on_lock(Call&, std::shared_ptr<const TKAInitBeginRequest>);
template void on_lock(Call&, std::shared_ptr<const TKAInitFinishRequest>);
template void on_lock(Call&, std::shared_ptr<const TKABootstrapRequest>);
template void on_lock(Call&, std::shared_ptr<const TKASyncOfferRequest>);
template void on_lock(Call&, std::shared_ptr<const TKASyncSendRequest>);
template void on_lock(Call&, std::shared_ptr<const TKASubmitSignatureRequest>);
template void on_lock(Call&, std::shared_ptr<const TKADisableRequest>);
template void on_lock(Call&, std::shared_ptr<const TKASignaturesUsingKeyRequest>);

}  // namespace ts2021::service
