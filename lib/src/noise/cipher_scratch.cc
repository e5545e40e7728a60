// SPDX-License-Identifier: BSD-3-Clause
#include "noise/cipher_scratch.h"

namespace ts2021 {

CipherScratch::CipherScratch() : impl_(std::make_unique<Impl>()) {}
CipherScratch::~CipherScratch() = default;

}  // namespace ts2021
