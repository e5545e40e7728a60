// SPDX-License-Identifier: BSD-3-Clause
#include "h2/outgoing.h"

#include <algorithm>

namespace ts2021::h2 {
namespace {

// A full map has hundreds of pieces, what follows it has one or two: room for more is given back.
constexpr std::size_t kept_pieces = 4;

}  // namespace

void Outgoing::set(std::span<const SharedBytes> pieces) {
  for (const SharedBytes& piece : pieces) {
    if (!piece || piece->empty()) continue;
    pieces_.push_back(piece);
    left_ += piece->size();
  }
}

std::size_t Outgoing::views(std::size_t n) const noexcept {
  std::size_t count = 0;
  std::size_t offset = offset_;
  for (std::size_t i = piece_; n > 0; ++i, ++count) {
    n -= std::min(n, pieces_[i]->size() - offset);
    offset = 0;
  }
  return count;
}

void Outgoing::gather(std::size_t n, std::span<Bytes> views) const noexcept {
  std::size_t offset = offset_;
  for (std::size_t i = piece_; n > 0; ++i) {
    const Bytes rest = Bytes(*pieces_[i]).subspan(offset);
    const Bytes view = rest.first(std::min(n, rest.size()));
    views[i - piece_] = view;
    n -= view.size();
    offset = 0;
  }
}

void Outgoing::advance(std::size_t n) noexcept {
  left_ -= n;
  if (left_ == 0) {
    pieces_.clear();
    if (pieces_.capacity() > kept_pieces) std::vector<SharedBytes>().swap(pieces_);
    piece_ = offset_ = 0;
    return;
  }
  offset_ += n;
  while (offset_ >= pieces_[piece_]->size()) {
    offset_ -= pieces_[piece_]->size();
    pieces_[piece_++].reset();
  }
}

}  // namespace ts2021::h2
