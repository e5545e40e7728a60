// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/map_response.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(MapResponse);

}  // namespace ts2021
