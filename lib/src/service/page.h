// SPDX-License-Identifier: BSD-3-Clause
// Pages for people: small, without scripts, and of nothing but what we write.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ts2021/coord/question.h"
#include "ts2021/http/message.h"

namespace ts2021::service {

inline constexpr std::string_view html = "text/html; charset=utf-8";
// No resources, no frames, no cache. The Referer stays: without one browsers call the origin of a form null.
inline constexpr Header page_headers[] = {
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy",
     "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; "
     "base-uri 'none'"},
    {"Referrer-Policy", "same-origin"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
};

// `text` where HTML wants text, in quotes too; control characters become spaces.
[[nodiscard]] std::string escaped(std::string_view text);
// Title and one sentence.
[[nodiscard]] std::string message_page(std::string_view title, std::string_view text);
// What waits, a field for the login name, and two buttons: "Connect" and "Deny".
[[nodiscard]] std::string decision_page(const answer::Pending& pending);

// What the form of decision_page() sends.
inline constexpr std::string_view login_field = "login_name", decision_field = "decision",
                                  connect_value = "connect", deny_value = "deny";

// Whether a form that changes something comes from a page of this site: by Sec-Fetch-Site, else by Origin
// against Host and against the site's own URL. Who sends neither is no browser, and nobody can misuse it.
[[nodiscard]] bool is_same_origin(std::span<const Header> headers, std::string_view site_url);

}  // namespace ts2021::service
