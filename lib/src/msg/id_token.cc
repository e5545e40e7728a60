// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/id_token.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(TokenHeader);
TS_MESSAGE(TokenClaims);
TS_MESSAGE(WebKeySet);
TS_MESSAGE(OpenIdConfiguration);

}  // namespace ts2021
