// SPDX-License-Identifier: BSD-3-Clause
// What a finished TLS handshake tells.
#pragma once

#include <string>

#include "common/openssl.h"
#include "ts2021/doctor/record.h"

namespace ts2021::app {

[[nodiscard]] std::string selected_alpn(const SSL* tls);  // empty: none

// Version, cipher, names and days left, and whether a strict client would take the certificate.
void judge_certificate(SSL* tls, Record& record);

}  // namespace ts2021::app
