// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/capture_file.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "common/clock.h"
#include "ts2021/capture/recorder.h"

namespace ts2021::app {
namespace {

// Of a line that waits, beside its body.
constexpr std::size_t line_overhead = 512;

std::string begin_text() {
  const auto wall = std::chrono::time_point_cast<std::chrono::seconds>(now().wall);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z ts2021d {}", fmt::gmtime(wall.time_since_epoch().count()),
                     TS2021_VERSION);
}

Fd open_private(const std::string& path) {
  Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  struct stat kind {};
  if (!fd || fstat(fd.get(), &kind) != 0 || (S_ISREG(kind.st_mode) && fchmod(fd.get(), 0600) != 0))
    throw std::runtime_error("can't write " + path + ": " + std::generic_category().message(errno));
  return fd;
}

}  // namespace

class CaptureFile::SessionTracer final : public Tracer {
 public:
  SessionTracer(CaptureFile& file, std::uint64_t session, std::string peer)
      : file_(file), session_(session), peer_(std::move(peer)) {}
  ~SessionTracer() override {  // the program ends, or all sessions
    if (closed_) return;
    on(trace::Closed{fail(Errc::closed, 0), 0, 0}, now());
  }

  void on(const TraceEvent& event, Now at) noexcept override {
    CaptureLine line = capture_line(event);
    line.at = std::chrono::duration_cast<std::chrono::microseconds>(at.mono - file_.begun_);
    line.session = session_;
    if (std::holds_alternative<trace::Opened>(event)) line.peer = peer_;
    if (std::holds_alternative<trace::Closed>(event)) closed_ = true;
    file_.post(std::move(line));
  }

 private:
  CaptureFile& file_;
  const std::uint64_t session_;
  const std::string peer_;
  bool closed_ = false;
};

CaptureFile::CaptureFile(const std::string& path)
    : path_(path), fd_(open_private(path)), begun_(now().mono), thread_([this] { run(); }) {
  CaptureLine begin;
  begin.event = "begin";
  begin.why = begin_text();
  post(std::move(begin));
}

CaptureFile::~CaptureFile() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  news_.notify_one();
  thread_.join();
}

std::unique_ptr<Tracer> CaptureFile::trace(std::string peer) {
  const std::lock_guard lock(mutex_);
  return std::make_unique<SessionTracer>(*this, ++sessions_, std::move(peer));
}

void CaptureFile::post(CaptureLine line) {
  {
    const std::lock_guard lock(mutex_);
    const std::size_t size = line.body.size() + line_overhead;
    if (waiting_ + size > max_waiting) {
      ++dropped_;
      return;
    }
    waiting_ += size;
    lines_.push_back(std::move(line));
    if (lines_.size() > 1) return;
  }
  news_.notify_one();
}

void CaptureFile::run() {
  CaptureAssembler assembler;
  std::vector<CaptureLine> batch, whole;
  std::string out;
  while (true) {
    std::uint64_t dropped = 0;
    {
      std::unique_lock lock(mutex_);
      news_.wait(lock, [this] { return ending_ || !lines_.empty(); });
      if (lines_.empty()) return;
      batch.swap(lines_);
      waiting_ = 0;
      dropped = std::exchange(dropped_, 0);
    }
    for (CaptureLine& line : batch) {
      const auto at = line.at;
      assembler.take(std::move(line), whole);
      for (const CaptureLine& made : whole) out += text(made);
      whole.clear();
      if (dropped > 0 && &line == &batch.back()) {
        CaptureLine gap;
        gap.at = at;
        gap.event = "dropped";
        gap.why = fmt::format("{} lines: the disk was too slow", dropped);
        out += text(gap);
      }
      if (out.size() < (1u << 20) && &line != &batch.back()) continue;
      write(out);
      out.clear();
    }
    batch.clear();
  }
}

void CaptureFile::write(const std::string& text) {
  for (std::size_t at = 0; at < text.size() && !failed_;) {
    const ssize_t sent = ::write(fd_.get(), text.data() + at, text.size() - at);
    if (sent >= 0) {
      at += static_cast<std::size_t>(sent);
    } else if (errno != EINTR) {
      spdlog::error("capture: {}: {}; it ends here", path_, std::generic_category().message(errno));
      failed_ = true;
    }
  }
}

}  // namespace ts2021::app
