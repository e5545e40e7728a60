// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/ssh.h"

#include "msg/codec_impl.h"

namespace ts2021 {

TS_MESSAGE(SSHAction);
TS_MESSAGE(SSHPolicy);
TS_MESSAGE(SSHEventNotifyRequest);

}  // namespace ts2021
