// SPDX-License-Identifier: BSD-3-Clause
// A store of your own: every transaction is a line, so to say, at the end of a file, and reading the file
// again is the whole of a restart. It never shrinks; a server that lives for years would write it anew at
// times.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ts2021/coord/store.h"

namespace example {

// The file and what is in it; shared by the stores of one thread, each of which is a handle of one writer.
class RecordFile {
 public:
  // Makes the file, for its owner only, where there is none; a last transaction that was cut off is dropped.
  // Without a path nothing is kept. Throws std::runtime_error where it can't be read.
  explicit RecordFile(const std::string& path);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

 private:
  friend class FileStore;
  using Key = std::pair<ts2021::RecordKind, std::uint64_t>;
  struct Entry {
    ts2021::Revision revision{};
    ts2021::RecordPtr record;  // null: deleted, kept so that a watch can tell
  };

  void read(const std::string& path);
  void apply(const ts2021::Write& write);
  [[nodiscard]] bool append(std::span<const ts2021::Write> transaction);

  int file_ = -1;
  std::uint64_t size_ = 0;       // bytes of whole transactions
  ts2021::Revision revision_{};  // the number of transactions so far
  std::map<Key, Entry> entries_;
  std::vector<std::deque<ts2021::StoreEvent>*> watches_;
};

class FileStore final : public ts2021::Store {
 public:
  explicit FileStore(std::shared_ptr<RecordFile> file) : file_(std::move(file)) {}
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;
  ~FileStore() override;

  void watch(ts2021::Revision after) override;
  void submit(ts2021::Ticket ticket, std::span<const ts2021::Write> transaction) override;
  [[nodiscard]] std::size_t poll(std::span<ts2021::StoreEvent> out) override;

 private:
  [[nodiscard]] std::optional<ts2021::Errc> refuses(std::span<const ts2021::Write> transaction) const;

  std::shared_ptr<RecordFile> file_;
  std::deque<ts2021::StoreEvent> events_;
};

}  // namespace example
