// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace ts2021::app::fleet {
namespace {

// By the nanosecond, of the threads that still live; the other count has ticks of 10 ms, of all.
std::map<int, double> precise_cpu(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> tasks(opendir((folder + "/task").c_str()), &closedir);
  std::map<int, double> seconds;
  while (const dirent* entry = tasks ? readdir(tasks.get()) : nullptr) {
    if (entry->d_name[0] == '.') continue;
    std::ifstream file(folder + "/task/" + entry->d_name + "/schedstat");
    double on_cpu = 0;
    if (file >> on_cpu) seconds[std::atoi(entry->d_name)] = on_cpu / 1e9;
  }
  return seconds;
}

double ticked_cpu(const std::string& folder) {
  std::ifstream file(folder + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

std::optional<ProcessSample> sample_process(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  std::ifstream status(folder + "/status");
  if (!status) return std::nullopt;
  ProcessSample out;
  for (std::string line; std::getline(status, line);) {
    const auto take = [&](std::string_view name, std::uint64_t& into) {
      if (line.starts_with(name)) into = std::strtoull(line.c_str() + name.size(), nullptr, 10);
    };
    take("VmRSS:", out.rss_kib);
    take("RssAnon:", out.anon_kib);
    take("VmHWM:", out.peak_kib);
    take("Threads:", out.threads);
  }
  // Threads that have ended count in the ticks only.
  out.by_thread = precise_cpu(folder);
  double precise = 0;
  for (const auto& [thread, seconds] : out.by_thread) precise += seconds;
  const double ticked = ticked_cpu(folder);
  out.cpu_s = ticked - precise > 0.1 ? ticked : precise;
  return out;
}

std::uint64_t raise_file_limit(std::uint64_t wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < wanted) {
    rlimit more{wanted, std::max<rlim_t>(limit.rlim_max, wanted)};
    if (setrlimit(RLIMIT_NOFILE, &more) != 0) {
      more = {std::min<rlim_t>(limit.rlim_max, wanted), limit.rlim_max};
      setrlimit(RLIMIT_NOFILE, &more);
    }
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

}  // namespace ts2021::app::fleet
