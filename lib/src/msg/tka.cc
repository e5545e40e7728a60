// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/tka.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(TKAInitBeginRequest);
TS_MESSAGE(TKASignInfo);
TS_MESSAGE(TKAInitBeginResponse);
TS_MESSAGE(TKAInitFinishRequest);
TS_MESSAGE(TKABootstrapRequest);
TS_MESSAGE(TKABootstrapResponse);
TS_MESSAGE(TKASyncOfferRequest);
TS_MESSAGE(TKASyncOfferResponse);
TS_MESSAGE(TKASyncSendRequest);
TS_MESSAGE(TKASyncSendResponse);
TS_MESSAGE(TKADisableRequest);
TS_MESSAGE(TKASubmitSignatureRequest);
TS_MESSAGE(TKASignaturesUsingKeyRequest);
TS_MESSAGE(TKASignaturesUsingKeyResponse);

}  // namespace ts2021
