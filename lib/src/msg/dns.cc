// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/dns.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(Resolver);
TS_MESSAGE(DNSRecord);
TS_MESSAGE(DNSConfig);

}  // namespace ts2021
