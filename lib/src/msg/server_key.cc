// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/server_key.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(ServerKey);

}  // namespace ts2021
