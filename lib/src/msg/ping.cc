// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/ping.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(PingRequest);
TS_MESSAGE(PingResponse);

}  // namespace ts2021
