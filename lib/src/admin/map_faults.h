// SPDX-License-Identifier: BSD-3-Clause
// Map messages that are not as they should be.
#pragma once

#include "ts2021/admin/fault.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/msg/map_frame.h"

namespace ts2021::admin {

// The message with a fault of the layer map; null when there is no memory.
[[nodiscard]] SharedPieces spoiled(const SharedPieces& message, Compression compression,
                                   const FaultRule& rule, ZstdCompressor& compressor);
// Two messages, one behind the other.
[[nodiscard]] SharedPieces joined(const SharedPieces& first, const SharedPieces& second);
// Whether the message names a peer that could be taken back.
[[nodiscard]] bool names_peer(const SharedPieces& message, Compression compression);
// Removes the first peer of the message and changes it, at once; null when it names none.
[[nodiscard]] SharedPieces contradiction(const SharedPieces& message, Compression compression,
                                         ZstdCompressor& compressor);

}  // namespace ts2021::admin
