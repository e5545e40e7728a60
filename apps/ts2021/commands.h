// SPDX-License-Identifier: BSD-3-Clause
// The subcommands of ts2021. Each adds itself and its flags to the program and returns what runs when it was
// named: that gives the exit code, and throws std::runtime_error for what a user can mend.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace ts2021::app {

using Run = std::function<int()>;

[[nodiscard]] Run add_key(CLI::App& program);
[[nodiscard]] Run add_handshake(CLI::App& program);
[[nodiscard]] Run add_register(CLI::App& program);
[[nodiscard]] Run add_map(CLI::App& program);
[[nodiscard]] Run add_request(CLI::App& program);
[[nodiscard]] Run add_c2n(CLI::App& program);
[[nodiscard]] Run add_doctor(CLI::App& program);
[[nodiscard]] Run add_conformance(CLI::App& program);
[[nodiscard]] Run add_replay(CLI::App& program);
[[nodiscard]] Run add_capture_to_corpus(CLI::App& program);
[[nodiscard]] Run add_fleet(CLI::App& program);

}  // namespace ts2021::app
