// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/endpoint.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(NamedNode);
TS_MESSAGE(SetDNSRequest);
TS_MESSAGE(EmptyResponse);
TS_MESSAGE(HealthChangeRequest);
TS_MESSAGE(TokenRequest);
TS_MESSAGE(TokenResponse);
TS_MESSAGE(QueryFeatureRequest);
TS_MESSAGE(QueryFeatureResponse);
TS_MESSAGE(WebClientAuthResponse);
TS_MESSAGE(SetDeviceAttributesRequest);
TS_MESSAGE(AuditLogRequest);
TS_MESSAGE(DERPAdmitClientRequest);
TS_MESSAGE(DERPAdmitClientResponse);

}  // namespace ts2021
