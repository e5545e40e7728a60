// SPDX-License-Identifier: BSD-3-Clause
// The classes of what can be wrong, each with its exit code.
#pragma once

#include <array>
#include <string_view>

namespace ts2021::app {

struct Ailment {
  int exit_code;
  std::string_view name;
  std::string_view text;
};

namespace ailment {
inline constexpr Ailment good{0, "good", "everything that was tried works"};
inline constexpr Ailment unknown_name{10, "unknown-name", "the host name has no address"};
inline constexpr Ailment port_closed{11, "port-closed", "nobody listens on the port"};
inline constexpr Ailment unreachable{12, "unreachable", "the port does not answer"};
inline constexpr Ailment wrong_scheme{13, "wrong-scheme",
                                      "https where there is no TLS, or http where there is"};
inline constexpr Ailment tls{14, "tls", "the TLS handshake fails"};
inline constexpr Ailment certificate_time{15, "certificate-time",
                                          "the certificate has expired, or is not yet valid"};
inline constexpr Ailment certificate_name{16, "certificate-name", "the certificate is another host's"};
inline constexpr Ailment certificate_authority{17, "certificate-authority", "the certificate is not trusted"};
inline constexpr Ailment clock{18, "clock", "this machine's clock is wrong"};
inline constexpr Ailment http2_only{19, "http2-only", "the TLS port speaks only HTTP/2"};
inline constexpr Ailment no_answer{20, "no-answer", "an HTTP request gets no answer"};
inline constexpr Ailment not_control{21, "not-control",
                                     "this is no control server, or its proxy lets nothing through"};
inline constexpr Ailment proxy_page{22, "proxy-page",
                                    "something in front answers instead of the control server"};
inline constexpr Ailment backend_down{23, "backend-down", "the proxy does not reach the control server"};
inline constexpr Ailment redirect{24, "redirect", "a redirect where clients follow none"};
inline constexpr Ailment server_error{25, "server-error", "the server fails"};
inline constexpr Ailment rate_limited{26, "rate-limited", "the server or its proxy wants less of us"};
inline constexpr Ailment too_large{27, "too-large", "a request is larger than the server or its proxy takes"};
inline constexpr Ailment version_refused{28, "version-refused", "the server refuses this capability version"};
inline constexpr Ailment ts2019_only{29, "ts2019-only", "the server has no Noise key"};
inline constexpr Ailment bad_key{30, "bad-key", "the server's keys are not as they must be"};
inline constexpr Ailment upgrade_stripped{31, "upgrade-stripped", "the header Upgrade gets lost on the way"};
inline constexpr Ailment upgrade_refused{32, "upgrade-refused", "the upgrade is refused"};
inline constexpr Ailment websocket_blocked{33, "websocket-blocked",
                                           "only the WebSocket upgrade, which browsers use, fails"};
inline constexpr Ailment stream_held{34, "stream-held", "what follows the upgrade does not come through"};
inline constexpr Ailment wrong_key{35, "wrong-key", "the key of /key is not the key behind /ts2021"};
inline constexpr Ailment noise_broken{36, "noise-broken", "what follows the upgrade arrives changed"};
inline constexpr Ailment early_payload{37, "early-payload", "the early payload can't be read"};
inline constexpr Ailment http2{38, "http2", "HTTP/2 inside Noise fails"};
inline constexpr Ailment register_refused{40, "register-refused", "the server does not let the node in"};
inline constexpr Ailment login_needed{41, "login-needed", "the server wants a person to log in"};
inline constexpr Ailment map_refused{42, "map-refused", "the server refuses the map"};
inline constexpr Ailment map_broken{43, "map-broken", "the map can't be read, or ends"};
inline constexpr Ailment map_silent{44, "map-silent", "no map comes"};
inline constexpr Ailment idle_cut{45, "idle-cut", "the connection is cut while it is idle"};
inline constexpr Ailment no_keep_alive{46, "no-keep-alive", "the map stream stays silent for too long"};
}  // namespace ailment

inline constexpr std::array all_ailments{ailment::good,
                                         ailment::unknown_name,
                                         ailment::port_closed,
                                         ailment::unreachable,
                                         ailment::wrong_scheme,
                                         ailment::tls,
                                         ailment::certificate_time,
                                         ailment::certificate_name,
                                         ailment::certificate_authority,
                                         ailment::clock,
                                         ailment::http2_only,
                                         ailment::no_answer,
                                         ailment::not_control,
                                         ailment::proxy_page,
                                         ailment::backend_down,
                                         ailment::redirect,
                                         ailment::server_error,
                                         ailment::rate_limited,
                                         ailment::too_large,
                                         ailment::version_refused,
                                         ailment::ts2019_only,
                                         ailment::bad_key,
                                         ailment::upgrade_stripped,
                                         ailment::upgrade_refused,
                                         ailment::websocket_blocked,
                                         ailment::stream_held,
                                         ailment::wrong_key,
                                         ailment::noise_broken,
                                         ailment::early_payload,
                                         ailment::http2,
                                         ailment::register_refused,
                                         ailment::login_needed,
                                         ailment::map_refused,
                                         ailment::map_broken,
                                         ailment::map_silent,
                                         ailment::idle_cut,
                                         ailment::no_keep_alive};

}  // namespace ts2021::app
