// SPDX-License-Identifier: BSD-3-Clause
// The program's log on stderr, which never makes anybody wait.
#pragma once

namespace ts2021::app {

// Makes spdlog's default logger one that drops lines while the reader of stderr takes nothing; the first line
// that gets through again follows one that says how many were lost. Lines are cut at 4 KiB.
void start_log(bool verbose);

}  // namespace ts2021::app
