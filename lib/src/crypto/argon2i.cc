// SPDX-License-Identifier: BSD-3-Clause
#include "crypto/argon2i.h"

#include <argon2.h>

namespace ts2021::crypto {

bool argon2i(std::span<std::uint8_t, 32> out, Bytes secret, Bytes salt, Argon2iCost cost) noexcept {
  // The library takes its inputs as mutable because it can wipe them; it is not asked to.
  argon2_context context{};
  context.out = out.data();
  context.outlen = static_cast<std::uint32_t>(out.size());
  context.pwd = const_cast<std::uint8_t*>(secret.data());
  context.pwdlen = static_cast<std::uint32_t>(secret.size());
  context.salt = const_cast<std::uint8_t*>(salt.data());
  context.saltlen = static_cast<std::uint32_t>(salt.size());
  context.t_cost = cost.passes;
  context.m_cost = cost.memory;
  context.lanes = cost.lanes;
  context.threads = 1;
  context.version = ARGON2_VERSION_13;
  context.flags = ARGON2_DEFAULT_FLAGS;
  return argon2i_ctx(&context) == ARGON2_OK;
}

}  // namespace ts2021::crypto
