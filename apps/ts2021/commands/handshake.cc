// SPDX-License-Identifier: BSD-3-Clause
// ts2021 handshake: everything up to the first request inside Noise, step by step.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/json_text.h"
#include "common/printable.h"
#include "ts2021/client/node_client.h"
#include "ts2021/commands.h"
#include "ts2021/msg/early_noise.h"
#include "ts2021/net/session.h"
#include "ts2021/net/target.h"
#include "ts2021/node/call.h"
#include "ts2021/node/rule.h"
#include "ts2021/node/state.h"

namespace ts2021::app {
namespace {

constexpr int failed = 2;

struct Options {
  Target target;
  std::string state;
  bool websocket = false, json = false;
};

struct Step {
  std::string name, text, error{};
  std::chrono::nanoseconds time{};
  std::vector<std::pair<std::string, std::string>> details{};
};

std::string setting_name(std::uint16_t number) {
  constexpr const char* names[] = {"HEADER_TABLE_SIZE",
                                   "ENABLE_PUSH",
                                   "MAX_CONCURRENT_STREAMS",
                                   "INITIAL_WINDOW_SIZE",
                                   "MAX_FRAME_SIZE",
                                   "MAX_HEADER_LIST_SIZE",
                                   "SETTING_7",
                                   "ENABLE_CONNECT_PROTOCOL",
                                   "NO_RFC7540_PRIORITIES"};
  if (number >= 1 && number <= std::size(names)) return names[number - 1];
  return "SETTING_" + std::to_string(number);
}

// What the connection tells of its own steps.
class Steps final : public Tracer {
 public:
  explicit Steps(std::vector<Step>& steps) : steps_(steps) {}
  void begin(Instant at) noexcept { last_ = at; }

  void on(const TraceEvent& event, Now) noexcept override {
    const Now at = now();  // the connection's own stands still while it computes
    if (std::holds_alternative<trace::UpgradeSent>(event)) {
      add("upgrade", "sent", at);
    } else if (const auto* answer = std::get_if<trace::UpgradeAnswer>(&event)) {
      Step& step = add("answer", "status " + std::to_string(answer->status), at);
      for (const Header& header : answer->headers)
        step.details.emplace_back(printable(header.name), printable(header.value));
    } else if (const auto* handshake = std::get_if<trace::Handshake>(&event)) {
      Step& step = add("Noise", "version " + std::to_string(static_cast<unsigned>(handshake->version)), at);
      step.details.emplace_back("server key", handshake->server.text());
      step.details.emplace_back("machine key", handshake->machine.text());
    } else if (const auto* settings = std::get_if<trace::Settings>(&event)) {
      // The early payload comes before, but is told when the connection is ready.
      settings_ = Step{"SETTINGS", settings->values.empty() ? "empty" : "", "", at.mono - last_, {}};
      for (const auto& [number, value] : settings->values)
        settings_->details.emplace_back(setting_name(number), std::to_string(value));
    }
  }
  void early_payload(const std::string& json, Now at) {
    if (json.empty()) {
      add("early payload", "none", at);
      return;
    }
    const auto read = decode_copy<EarlyNoise>(as_bytes(json));
    Step& step = add("early payload", read ? "" : "not readable: " + printable(json), at);
    if (read && read->node_key_challenge.is_zero()) step.text = "no challenge: " + printable(json);
    if (read && !read->node_key_challenge.is_zero())
      step.details.emplace_back("challenge", read->node_key_challenge.text());
  }
  [[nodiscard]] std::optional<Step>& settings() noexcept { return settings_; }

 private:
  Step& add(std::string name, std::string text, Now at) {
    steps_.push_back({std::move(name), std::move(text), "", at.mono - last_, {}});
    last_ = at.mono;
    return steps_.back();
  }
  std::vector<Step>& steps_;
  std::optional<Step> settings_;
  Instant last_{};
};

class Walk {
 public:
  explicit Walk(const Options& options) : options_(options), url_(options.target.control()) {}

  // False when a step has failed, which is then the last one.
  bool run() {
    name_ = "GET /key";
    try {
      const ServerKey key = ask_for_key();
      name_ = "upgrade";
      if (key.public_key.is_zero()) return fail_here("the server has no Noise key");
      way_in(key);
      return steps_.back().error.empty();
    } catch (const DialError& error) {
      name_ = ts2021::app::name(error.step());
      return fail_here(error.what());
    } catch (const CallError& error) {
      return fail_here(error.what());
    }
  }
  [[nodiscard]] const std::vector<Step>& steps() const noexcept { return steps_; }

 private:
  bool fail_here(const std::string& why) {
    steps_.push_back({name_, "", why, {}, {}});
    return false;
  }

  ByteStream dial_with_steps() {
    DialReport report;
    ByteStream stream = dial(url_, options_.target.dialing(), &report);
    steps_.push_back({"look-up", report.address, "", report.look_up, {}});
    steps_.push_back({"connect", report.address, "", report.connect, {}});
    if (TlsStream* const tls = stream.tls()) {
      Step step{"TLS", SSL_get_version(tls->handle()), "", report.tls, {}};
      step.details.emplace_back("cipher", SSL_get_cipher_name(tls->handle()));
      steps_.push_back(std::move(step));
    }
    return stream;
  }

  ServerKey ask_for_key() {
    ClientConfig config;
    config.mode = ClientMode::http1;
    Session session(dial_with_steps(), url_.host, config);
    const Instant begun = now().mono;
    const std::string path = server_key_path(options_.target.version());
    const Answer answer = call(session, {"GET", path}, {64 << 10, options_.target.dialing().timeout});
    Step step{"GET " + path, "status " + std::to_string(answer.status), "", now().mono - begun, {}};
    const auto key = read_server_key(answer.status, answer.body);
    if (key) {
      step.details.emplace_back("Noise key", key->public_key.is_zero() ? "none" : key->public_key.text());
      step.details.emplace_back("NaCl key",
                                key->legacy_public_key.is_zero() ? "none" : key->legacy_public_key.text());
    }
    steps_.push_back(std::move(step));
    if (!key) throw CallError(key.error(), std::string(answer.text()));
    return *key;
  }

  void way_in(const ServerKey& key) {
    const NodeState state = load_state(options_.state);
    ClientConfig config;
    config.mode = options_.websocket ? ClientMode::noise_websocket : ClientMode::noise;
    config.machine = &state.machine;
    config.server = key.public_key;
    config.version = static_cast<ProtocolVersion>(options_.target.capability);
    Steps tracer(steps_);
    Session session(dial_with_steps(), url_.host, config, &tracer);
    tracer.begin(now().mono);
    const Instant until = now().mono + options_.target.dialing().timeout;
    const auto early = session.ready(until);
    if (early) {
      steps_.reserve(steps_.size() + 2);
      tracer.early_payload(*early, now());
      name_ = "SETTINGS";
      session.run([&](const ClientEvent&) { return !tracer.settings(); },
                  [&]() -> std::optional<Instant> {
                    if (tracer.settings()) session.connection().close(fail(Errc::closed, 0), now());
                    return std::nullopt;
                  },
                  until);
    } else {
      const std::string& last = steps_.back().name;
      if (last == "Noise")
        name_ = "early payload";
      else if (last == "answer" && early.error().code != Errc::bad_upgrade)
        name_ = "Noise";
    }
    if (tracer.settings()) {
      steps_.push_back(*std::move(tracer.settings()));
      return;
    }
    const Error why = !early ? early.error() : session.closed().value_or(fail(Errc::timeout, 0));
    throw CallError(why, std::string(session.connection().refusal()));
  }

  const Options& options_;
  const ControlUrl url_;
  std::string name_;
  std::vector<Step> steps_;
};

double milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

void print(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    std::printf("%-14s %9.3f ms  %s", printable(step.name).c_str(), milliseconds(step.time),
                (step.error.empty() ? step.text : "FAILED: " + step.error).c_str());
    const char* comma = step.text.empty() && step.error.empty() ? "" : ", ";
    for (const auto& [name, value] : step.details) {
      std::printf("%s%s %s", comma, name.c_str(), value.c_str());
      comma = ", ";
    }
    std::printf("\n");
  }
}

void print_json(const std::vector<Step>& steps, bool good) {
  JsonText json;
  json.begin_object().member("ok", good).name("steps").begin_array();
  for (const Step& step : steps) {
    json.begin_object()
        .member("step", step.name)
        .member("ms", milliseconds(step.time))
        .member("text", step.text);
    if (!step.error.empty()) json.member("error", step.error);
    if (!step.details.empty()) {
      json.name("details").begin_object();
      for (const auto& [name, value] : step.details) json.member(name, value);
      json.end_object();
    }
    json.end_object();
  }
  json.end_array().end_object();
  std::printf("%s\n", json.text().c_str());
}

int run(const Options& options) {
  Walk walk(options);
  const bool good = walk.run();
  options.json ? print_json(walk.steps(), good) : print(walk.steps());
  return good ? 0 : failed;
}

}  // namespace

Run add_handshake(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      *program.add_subcommand("handshake", "go all the way into Noise and HTTP/2, and show each step");
  add_target(command, options->target);
  command.add_flag("--websocket", options->websocket, "upgrade as browsers do");
  command.add_option("--state", options->state, "file with the machine key; without it it is a new one");
  command.add_flag("--json", options->json, "print one JSON document");
  command.footer("Exit code: 0 when SETTINGS came, 2 when a step failed, 1 for anything else.");
  return [options] { return run(*options); };
}

}  // namespace ts2021::app
