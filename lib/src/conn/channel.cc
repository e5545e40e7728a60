// SPDX-License-Identifier: BSD-3-Clause
#include "conn/channel.h"

#include <algorithm>
#include <array>

namespace ts2021::conn {

Channel::Channel(noise::Session session, Env env, entry::WebSocket* websocket, ByteQueue& out)
    : websocket_(websocket),
      out_(&out),
      tamper_(env.tamper),
      records_(env.blocks, out.limit()),
      reader_(std::move(session.receive), env.blocks, env.cipher),
      writer_(std::move(session.send), websocket ? records_ : out, env.cipher) {}

bool Channel::take_frame(void* self, std::span<const Bytes> pieces) noexcept {
  auto& channel = *static_cast<Channel*>(self);
  auto& writer = channel.writer_;
  if (channel.tamper_ && !channel.asked_tamper_) {
    (void)writer.append(channel.tamper_->before_frame(pieces.front()));
    channel.asked_tamper_ = true;
  }
  std::size_t total = 0;
  for (const Bytes piece : pieces) total += piece.size();
  // A frame that fits into one record is never split between two: small clients read record by record. H2-6
  if (total > writer.room() && total <= noise::max_plaintext_size && !writer.flush()) return false;
  if (!writer.append(pieces)) return false;
  channel.asked_tamper_ = false;
  return true;
}

Result<void> Channel::flush() noexcept {
  if (auto flushed = writer_.flush(); !flushed) return flushed;
  if (!websocket_) return {};
  websocket_->fill(*out_);
  while (!records_.empty()) {
    std::array<Bytes, 1> piece;
    if (records_.gather(piece) == 0) break;
    const Bytes message = piece[0].first(std::min(piece[0].size(), entry::max_websocket_message));
    if (!websocket_->append(message, *out_)) break;
    records_.consume(message.size());
  }
  return {};
}

}  // namespace ts2021::conn
