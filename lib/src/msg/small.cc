// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/small.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(Debug);
TS_MESSAGE(TKAInfo);
TS_MESSAGE(ControlDialPlan);
TS_MESSAGE(ClientVersion);
TS_MESSAGE(DisplayMessage);

}  // namespace ts2021
