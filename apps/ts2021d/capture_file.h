// SPDX-License-Identifier: BSD-3-Clause
// The file of --capture: every connection decrypted, one JSON object a line, written by one thread of its
// own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/socket.h"
#include "ts2021/capture/line.h"
#include "ts2021/conn/tracer.h"

namespace ts2021::app {

class CaptureFile {
 public:
  // Makes the file anew, mode 0600: it will hold auth keys and whatever else is said. Throws
  // std::runtime_error.
  explicit CaptureFile(const std::string& path);
  ~CaptureFile();  // writes what is left

  // For one connection, from any thread; must not outlive the file. `peer` as in the log.
  [[nodiscard]] std::unique_ptr<Tracer> trace(std::string peer);

  // What waits to be written, in bytes of bodies; what comes beyond is dropped, and the file says so.
  static constexpr std::size_t max_waiting = std::size_t{256} << 20;

 private:
  class SessionTracer;
  void post(CaptureLine line);
  void run();
  void write(const std::string& text);

  const std::string path_;
  Fd fd_;
  const Instant begun_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::vector<CaptureLine> lines_;
  std::size_t waiting_ = 0;
  std::uint64_t dropped_ = 0, sessions_ = 0;
  bool ending_ = false;
  bool failed_ = false;  // of the thread: the disk took something only in part, so nothing more is written
  std::thread thread_;
};

}  // namespace ts2021::app
