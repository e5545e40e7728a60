// SPDX-License-Identifier: BSD-3-Clause
// Carries work out: machine by machine in the order in which it came, each piece planned, committed,
// finished.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>

#include "coord/ids.h"
#include "coord/lanes.h"
#include "coord/preparation.h"
#include "coord/work.h"

namespace ts2021::coord {

// Stages:
//
//   reading   --CaughtUp--> preparing           the records that exist
//   preparing --Committed--> ready              owner, preset keys, a block of ids; stale: once more
//   ready                                       lanes run
class Engine {
 public:
  Engine(Store& store, Tailnet& tailnet, const CoordinatorConfig& config, Worker& worker)
      : store_(store), tailnet_(tailnet), config_(config), worker_(worker) {}

  void advance(Now now);
  [[nodiscard]] bool ready() const { return stage_ == Stage::ready; }
  [[nodiscard]] std::optional<Instant> next_timeout() const { return retry_at_; }

  // Work of a machine; what belongs to none has a lane of its own under the zero key. Only requests are
  // bounded: false when too many of them wait.
  [[nodiscard]] bool add_request(const MachinePublic& machine, Work work);
  void add(const MachinePublic& machine, Work work);
  // Drops what is not under way; the answer to what is will be dropped.
  template <class Which>
  void cancel(const MachinePublic& machine, Which which) {
    lanes_.cancel(machine, which);
  }

  // From the store. True when the tailnet has become ready by it.
  void on_caught_up();
  [[nodiscard]] bool on_committed(Ticket ticket);
  void on_rejected(Ticket ticket, Error why);

  [[nodiscard]] IdBlock& ids() { return ids_; }

 private:
  enum class Stage : std::uint8_t { reading, preparing, ready };
  enum class Step : std::uint8_t {
    done,
    waits,   // for the store's answer
    starved  // of ids: stays in front and runs again when there are some
  };

  Ticket submit(std::span<const Write> writes);
  void submit_preparation();
  void ask_for_ids(std::uint64_t count = 0);  // at least a block
  void run(const MachinePublic& machine);
  Step step(Work& work, const MachinePublic& machine);
  template <class How>
  void settle(Ticket ticket, How how);

  Store& store_;
  Tailnet& tailnet_;
  const CoordinatorConfig& config_;
  Worker& worker_;
  Now now_{};
  Stage stage_ = Stage::reading;
  IdBlock ids_;
  Lanes lanes_;
  std::uint64_t last_ticket_ = 0;
  std::unordered_map<Ticket, MachinePublic> tickets_;
  Ticket id_ticket_{};
  Preparation preparation_;
  std::optional<Instant> retry_at_;
};

inline constexpr std::chrono::seconds retry_soon{1};  // after a store was too busy

}  // namespace ts2021::coord
