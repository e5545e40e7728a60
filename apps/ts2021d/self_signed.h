// SPDX-License-Identifier: BSD-3-Clause
// Certificates for tests: an authority of our own and what it issues.
#pragma once

#include <string>
#include <vector>

namespace ts2021::app {

struct SelfSigned {  // paths
  std::string ca;    // what clients have to trust
  std::string certificate, key;
};
[[nodiscard]] SelfSigned self_signed_paths(const std::string& directory);

// The authority (ca.pem, ca.key; ten years) and a certificate by it for `hosts`, names or addresses, and for
// localhost, 127.0.0.1 and ::1 (server.pem, server.key; one year) in `directory`, mode 0700 if it is made,
// keys 0600. What is there is kept as long as it fits and has a month to go. Throws std::runtime_error: a
// directory that can't be written, an authority whose files don't belong together.
SelfSigned make_self_signed(const std::string& directory, std::vector<std::string> hosts);

}  // namespace ts2021::app
