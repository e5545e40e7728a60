// SPDX-License-Identifier: BSD-3-Clause
#include "common/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <system_error>

#include "common/socket.h"

namespace ts2021::app {

void write_private_file(const std::string& path, const std::string& text) {
  const auto raise = [](const std::string& what) {
    throw std::runtime_error(what + ": " + std::generic_category().message(errno));
  };
  const std::string fresh = path + ".new";
  const Fd fd(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd || fchmod(fd.get(), 0600) != 0) raise("can't write " + fresh);
  if (write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) || fsync(fd.get()) != 0)
    raise("can't write " + fresh);
  if (rename(fresh.c_str(), path.c_str()) != 0) raise("can't replace " + path);
}

}  // namespace ts2021::app
