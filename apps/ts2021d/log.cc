// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/log.h"

#include <fmt/format.h>
#include <limits.h>
#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

namespace ts2021::app {
namespace {

class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (dropped_ > 0 && !put(fmt::format("{} lines of the log were dropped: nobody took them\n", dropped_))) {
      ++dropped_;
      return;
    }
    dropped_ = 0;
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (line.size() > PIPE_BUF) {
      line.resize(PIPE_BUF);
      line[PIPE_BUF - 1] = '\n';
    }
    if (!put({line.data(), line.size()})) ++dropped_;
  }
  void flush_() override {}

  // A pipe that polls as writable takes PIPE_BUF bytes at once. O_NONBLOCK would do, but it belongs to the
  // open file, and so to everybody who shares our stderr.
  static bool put(std::string_view text) {
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return false;
    return write(STDERR_FILENO, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }

  std::uint64_t dropped_ = 0;
};

}  // namespace

void start_log(bool verbose) {
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("ts2021d", std::make_shared<StderrSink>()));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  spdlog::set_level(verbose ? spdlog::level::debug : spdlog::level::info);
}

}  // namespace ts2021::app
