// SPDX-License-Identifier: BSD-3-Clause
// What the program says on stdout once it listens.
#pragma once

#include <string>

namespace ts2021::app {

struct Announcement {
  std::string url;       // that nodes are given
  std::string http_url;  // of the plain listener; left out where it is the same
  std::string auth_key;
  std::string admin;  // URL of the admin API, or unix:PATH; empty: none
  std::string ca;     // file that nodes have to trust; empty: none
};

// One line of JSON, or some lines for people that end with a command to copy.
void announce(const Announcement& ready, bool json);

}  // namespace ts2021::app
