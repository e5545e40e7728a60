// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/derp.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(DERPNode);
TS_MESSAGE(DERPRegion);
TS_MESSAGE(DERPHomeParams);
TS_MESSAGE(DERPMap);

}  // namespace ts2021
