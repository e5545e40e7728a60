// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/node.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(Node);
TS_MESSAGE(PeerChange);

}  // namespace ts2021
