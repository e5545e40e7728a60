// SPDX-License-Identifier: BSD-3-Clause
#include "file_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <stdexcept>

#include "record_codec.h"

using namespace ts2021;

namespace example {
namespace {

// Bytes of a transaction in front of it, so that one which was cut off is known.
using Length = std::uint32_t;

void write_one(Archive& archive, Write write) {
  bool exists = write.record != nullptr;
  archive(write.kind, write.id, exists);
  if (exists) write_record(archive, *write.record);
}
std::optional<Write> read_one(Archive& archive) {
  Write write;
  bool exists = false;
  archive(write.kind, write.id, exists);
  if (exists) write.record = read_record(archive);
  const bool fits =
      write.record ? kind(*write.record) == write.kind && id(*write.record) == write.id : !exists;
  if (!archive.ok() || !fits) return std::nullopt;
  return write;
}

}  // namespace

RecordFile::RecordFile(const std::string& path) {
  if (path.empty()) return;
  file_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file_ < 0) throw std::runtime_error(path + ": can't be opened");
  try {
    read(path);
  } catch (...) {
    close(file_);
    throw;
  }
}

RecordFile::~RecordFile() {
  if (file_ >= 0) close(file_);
}

void RecordFile::read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::string_view rest = bytes;
  for (Length length = 0; rest.size() >= sizeof length; rest.remove_prefix(sizeof length + length)) {
    std::memcpy(&length, rest.data(), sizeof length);
    if (length == 0 || length > rest.size() - sizeof length) break;
    revision_ = Revision{static_cast<std::uint64_t>(revision_) + 1};
    Archive archive(rest.substr(sizeof length, length));
    while (!archive.rest().empty()) {
      const auto write = read_one(archive);
      if (!write) throw std::runtime_error(path + ": this is not a file of records");
      apply(*write);
    }
  }
  size_ = bytes.size() - rest.size();
  if (ftruncate(file_, static_cast<off_t>(size_)) != 0) throw std::runtime_error(path + ": can't be written");
}

void RecordFile::apply(const Write& write) {
  entries_[{write.kind, write.id}] = {revision_, write.record};
  for (auto* watch : watches_) watch->push_back(Changed{revision_, write.kind, write.id, write.record});
}

// All or nothing: half a transaction is taken back.
bool RecordFile::append(std::span<const Write> transaction) {
  if (file_ < 0) return true;
  std::string bytes(sizeof(Length), '\0');
  Archive archive(bytes);
  for (const Write& write : transaction) write_one(archive, write);
  const auto length = static_cast<Length>(bytes.size() - sizeof(Length));
  std::memcpy(bytes.data(), &length, sizeof length);
  const bool durable = std::any_of(transaction.begin(), transaction.end(), [](auto& w) { return w.durable; });
  if (::write(file_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
      (!durable || fdatasync(file_) == 0)) {
    size_ += bytes.size();
    return true;
  }
  if (ftruncate(file_, static_cast<off_t>(size_)) != 0)
    throw std::runtime_error("the file of records is lost");
  return false;
}

FileStore::~FileStore() { std::erase(file_->watches_, &events_); }

void FileStore::watch(Revision after) {
  std::erase_if(events_, [](const StoreEvent& event) {
    return std::holds_alternative<Changed>(event) || std::holds_alternative<CaughtUp>(event);
  });
  std::vector<Changed> history;
  for (const auto& [key, entry] : file_->entries_)
    if (entry.revision > after && (entry.record || after != Revision{}))
      history.push_back({entry.revision, key.first, key.second, entry.record});
  std::stable_sort(history.begin(), history.end(), [](auto& a, auto& b) { return a.revision < b.revision; });
  events_.insert(events_.end(), history.begin(), history.end());
  events_.push_back(CaughtUp{file_->revision_});
  std::erase(file_->watches_, &events_);
  file_->watches_.push_back(&events_);
}

std::optional<Errc> FileStore::refuses(std::span<const Write> transaction) const {
  if (transaction.empty()) return Errc::misuse;
  std::set<RecordFile::Key> seen;
  for (const Write& write : transaction) {
    const bool belongs =
        !write.record || (kind(*write.record) == write.kind && id(*write.record) == write.id);
    const bool useless = !write.record && write.expected == Revision{};
    if (!seen.emplace(write.kind, write.id).second || !belongs || useless) return Errc::misuse;
  }
  for (const Write& write : transaction) {
    const auto at = file_->entries_.find({write.kind, write.id});
    const bool exists = at != file_->entries_.end() && at->second.record;
    if ((exists ? at->second.revision : Revision{}) != write.expected) return Errc::stale_revision;
  }
  return std::nullopt;
}

void FileStore::submit(Ticket ticket, std::span<const Write> transaction) {
  std::optional<Errc> why = refuses(transaction);
  if (!why && !file_->append(transaction)) why = Errc::limit_exceeded;
  if (why) {
    events_.push_back(Rejected{ticket, {.code = *why}});
    return;
  }
  file_->revision_ = Revision{static_cast<std::uint64_t>(file_->revision_) + 1};
  for (const Write& write : transaction) file_->apply(write);
  events_.push_back(Committed{ticket, file_->revision_});
}

std::size_t FileStore::poll(std::span<StoreEvent> out) {
  const std::size_t n = std::min(out.size(), events_.size());
  std::move(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(n), out.begin());
  events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(n));
  return n;
}

}  // namespace example
