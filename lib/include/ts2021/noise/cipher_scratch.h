// SPDX-License-Identifier: BSD-3-Clause
// The cipher contexts of one thread.
#pragma once

#include <memory>

namespace ts2021 {

// One per thread, lent to all its connections: an OpenSSL context is 1 KiB and two per connection would be
// most of an idle connection's memory. A key is set per run of records and erased at the latest when its
// connection ends.
class CipherScratch {
 public:
  CipherScratch();
  ~CipherScratch();
  CipherScratch(const CipherScratch&) = delete;
  CipherScratch& operator=(const CipherScratch&) = delete;

  struct Impl;  // lib/src/noise
  [[nodiscard]] Impl& impl() noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021
