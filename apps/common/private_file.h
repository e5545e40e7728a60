// SPDX-License-Identifier: BSD-3-Clause
// Files that hold secrets.
#pragma once

#include <string>

namespace ts2021::app {

// Mode 0600; complete or not at all: the new file takes the place of an old one once it is on disk. Throws
// std::runtime_error.
void write_private_file(const std::string& path, const std::string& text);

}  // namespace ts2021::app
