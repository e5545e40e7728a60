// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/client/envelope.h"

#include <algorithm>
#include <utility>

namespace ts2021 {
namespace {

constexpr std::size_t remembered = 64;  // boxes of our own

}  // namespace

Result<Envelope> Envelope::boxed(const MachineKeyPair& machine, const ControlBoxPublic& server) {
  auto box = NaclBox::between(machine.secret, server);
  if (!box) return box.error();
  Envelope out;
  out.box_ = *std::move(box);
  out.machine_ = machine.open.bare_text();
  return out;
}

// BOX-5
Result<std::string> Envelope::path(std::string_view path) const {
  if (!box_) return std::string(path);
  const std::string base = "/machine/" + machine_;
  if (path == "/machine/register") return base;
  if (path == "/machine/map") return base + "/map";
  if (path == "/machine/set-dns") return base + "/set-dns";
  return fail(Errc::misuse, 1020);
}

Capability Envelope::version(Capability capability) const noexcept {
  return box_ ? static_cast<Capability>(1) : capability;
}

Result<SharedBytes> Envelope::seal(Bytes message, Entropy& entropy) {
  if (!box_) return share(message);
  std::vector<std::uint8_t> whole(NaclBox::overhead);
  whole.insert(whole.end(), message.begin(), message.end());
  if (auto sealed = box_->seal(whole, entropy); !sealed) return sealed.error();
  Nonce nonce;
  std::copy_n(whole.begin(), nonce.size(), nonce.begin());
  if (sealed_.size() < remembered)
    sealed_.push_back(nonce);
  else
    sealed_[oldest_++ % remembered] = nonce;
  return share(std::move(whole));
}

// Only we can make a box with a nonce of ours, so that comparing nonces finds every box that came back.
Result<MutableBytes> Envelope::open(MutableBytes whole) const noexcept {
  if (!box_) return whole;
  for (const Nonce& nonce : sealed_)
    if (whole.size() >= nonce.size() && std::equal(nonce.begin(), nonce.end(), whole.begin()))
      return fail(Errc::bad_box, 1021);  // BOX-4
  return box_->open(whole);
}

}  // namespace ts2021
