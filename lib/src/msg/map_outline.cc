// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/map_outline.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(NodeOutline);
TS_MESSAGE(PeerChangeOutline);
TS_MESSAGE(MapOutline);

}  // namespace ts2021
