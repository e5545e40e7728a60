// SPDX-License-Identifier: BSD-3-Clause
// What a connection borrows from the thread that drives it; all of it must outlive the connection.
#pragma once

#include "ts2021/base/block_pool.h"
#include "ts2021/base/entropy.h"
#include "ts2021/base/slot_pool.h"
#include "ts2021/conn/tamper.h"
#include "ts2021/conn/tracer.h"
#include "ts2021/noise/cipher_scratch.h"
#include "ts2021/noise/handshake_cache.h"

namespace ts2021 {

struct Env {
  Entropy& entropy;
  BlockPool& blocks;
  CipherScratch& cipher;
  noise::HandshakeCache* handshakes = nullptr;  // servers only; null: every handshake is computed anew
  Tracer* tracer = nullptr;                     // of this connection alone
  Tamper* tamper = nullptr;                     // likewise; servers for tests only
  SlotPool* slots = nullptr;                    // for HTTP/2 sessions; null: the heap, and twice the memory
};

}  // namespace ts2021
