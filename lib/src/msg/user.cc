// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/user.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(User);
TS_MESSAGE(Login);
TS_MESSAGE(UserProfile);

}  // namespace ts2021
