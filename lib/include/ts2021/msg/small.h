// SPDX-License-Identifier: BSD-3-Clause
// Small objects inside map messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ts2021/msg/codec.h"
#include "ts2021/msg/field.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {

// Acts when it arrives; nothing of it is kept by the client, but for the knobs of old ones, which hold until
// the stream ends.
struct Debug {
  double sleep_seconds = 0;  // at most 300
  bool disable_log_tail = false;
  std::optional<int> exit;  // ends the client's process
  // What capabilities say from 70 on: list_knobs() of downlevel.h.
  bool force_background_stun = false, randomize_client_port = false;  // the first form of the next two
  OptBool set_force_background_stun, set_randomize_client_port;       // from 37 on
  OptBool trim_wg_config, disable_subnets_if_pac, disable_upnp, one_cgnat_route;
  bool enable_silent_disco = false;
  friend bool operator==(const Debug&, const Debug&) = default;
};
constexpr auto fields(const Debug*) {
  return std::tuple{
      Field<"SleepSeconds", &Debug::sleep_seconds>{},
      Field<"DisableLogTail", &Debug::disable_log_tail>{.since = Capability::ssh_policy},
      Field<"Exit", &Debug::exit>{},
      Field<"ForceBackgroundSTUN", &Debug::force_background_stun>{.until = Capability::debug_opt_knobs},
      Field<"RandomizeClientPort", &Debug::randomize_client_port>{.until = Capability::debug_opt_knobs},
      Field<"SetForceBackgroundSTUN", &Debug::set_force_background_stun>{
          .since = Capability::debug_opt_knobs, .until = Capability::knobs_by_capability},
      Field<"SetRandomizeClientPort", &Debug::set_randomize_client_port>{
          .since = Capability::debug_opt_knobs, .until = Capability::knobs_by_capability},
      Field<"TrimWGConfig", &Debug::trim_wg_config>{.until = Capability::knobs_by_capability},
      Field<"DisableSubnetsIfPAC", &Debug::disable_subnets_if_pac>{.until = Capability::knobs_by_capability},
      Field<"DisableUPnP", &Debug::disable_upnp>{.until = Capability::knobs_by_capability},
      Field<"OneCGNATRoute", &Debug::one_cgnat_route>{.since = Capability::debug_opt_knobs,
                                                      .until = Capability::knobs_by_capability},
      Field<"EnableSilentDisco", &Debug::enable_silent_disco>{.since = Capability::debug_opt_knobs,
                                                              .until = Capability::knobs_by_capability}};
}

struct TKAInfo {
  std::string head;  // empty, or base32 of 32 bytes
  bool disabled = false;
  friend bool operator==(const TKAInfo&, const TKAInfo&) = default;
};
constexpr auto fields(const TKAInfo*) {
  return std::tuple{Field<"Head", &TKAInfo::head>{}, Field<"Disabled", &TKAInfo::disabled>{}};
}

struct ControlIPCandidate {
  IpAddress ip;
  std::string ace_host;
  double dial_start_delay_sec = 0, dial_timeout_sec = 0;
  int priority = 0;  // higher is tried first
  friend bool operator==(const ControlIPCandidate&, const ControlIPCandidate&) = default;
};
constexpr auto fields(const ControlIPCandidate*) {
  return std::tuple{Field<"IP", &ControlIPCandidate::ip>{}, Field<"ACEHost", &ControlIPCandidate::ace_host>{},
                    Field<"DialStartDelaySec", &ControlIPCandidate::dial_start_delay_sec>{},
                    Field<"DialTimeoutSec", &ControlIPCandidate::dial_timeout_sec>{},
                    Field<"Priority", &ControlIPCandidate::priority>{}};
}

struct ControlDialPlan {
  std::vector<ControlIPCandidate> candidates;  // empty: reset
  friend bool operator==(const ControlDialPlan&, const ControlDialPlan&) = default;
};
constexpr auto fields(const ControlDialPlan*) {
  return std::tuple{always<"Candidates", &ControlDialPlan::candidates>};
}

struct ClientVersion {
  bool running_latest = false;  // true: nothing else is set
  std::string latest_version;
  bool urgent_security_update = false;
  bool notify = false;
  std::string notify_url, notify_text;
  friend bool operator==(const ClientVersion&, const ClientVersion&) = default;
};
constexpr auto fields(const ClientVersion*) {
  return std::tuple{Field<"RunningLatest", &ClientVersion::running_latest>{},
                    Field<"LatestVersion", &ClientVersion::latest_version>{},
                    Field<"UrgentSecurityUpdate", &ClientVersion::urgent_security_update>{
                        .since = Capability::urgent_update},
                    Field<"Notify", &ClientVersion::notify>{},
                    Field<"NotifyURL", &ClientVersion::notify_url>{},
                    Field<"NotifyText", &ClientVersion::notify_text>{}};
}

struct DisplayMessageAction {
  std::string url, label;
  friend bool operator==(const DisplayMessageAction&, const DisplayMessageAction&) = default;
};
constexpr auto fields(const DisplayMessageAction*) {
  return std::tuple{always<"URL", &DisplayMessageAction::url>, always<"Label", &DisplayMessageAction::label>};
}

struct DisplayMessage {
  std::string title, text;
  std::string severity;  // high, medium, low
  bool impacts_connectivity = false;
  std::optional<DisplayMessageAction> primary_action;
  friend bool operator==(const DisplayMessage&, const DisplayMessage&) = default;
};
constexpr auto fields(const DisplayMessage*) {
  return std::tuple{always<"Title", &DisplayMessage::title>, always<"Text", &DisplayMessage::text>,
                    always<"Severity", &DisplayMessage::severity>,
                    Field<"ImpactsConnectivity", &DisplayMessage::impacts_connectivity>{},
                    Field<"PrimaryAction", &DisplayMessage::primary_action>{}};
}

}  // namespace ts2021
