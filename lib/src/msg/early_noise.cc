// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/early_noise.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(EarlyNoise);

}  // namespace ts2021
