// SPDX-License-Identifier: BSD-3-Clause
// Some nodes read every message as a real client does.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "ts2021/client/fold.h"
#include "ts2021/fleet/digest.h"
#include "ts2021/fleet/knowledge.h"

namespace ts2021::app::fleet {

class FoldSample {
 public:
  // So many of the nodes, spread evenly.
  FoldSample(std::uint32_t count, std::uint32_t nodes, Capability capability);

  [[nodiscard]] bool has(std::uint32_t node) const { return folds_.contains(node); }
  [[nodiscard]] std::size_t size() const noexcept { return folds_.size(); }
  void begin(std::uint32_t node);  // a new stream
  void apply(std::uint32_t node, MapResponse message);

  // Expected of a peer, by its number.
  struct Told {
    std::uint32_t generation;
    int home_derp;
  };
  // Peers that the fold has otherwise than `told(number)`, or has and the bookkeeping has not, or the other
  // way round.
  template <class ToldOf>
  [[nodiscard]] std::uint64_t mismatches(std::uint32_t node, const Directory& directory,
                                         const Knowledge& knowledge, ToldOf&& told) const {
    std::uint64_t wrong = 0, known = 0;
    for (const auto& [id, peer] : folds_.at(node).netmap().peers) {
      const auto number = directory.find(peer.key);
      if (!number) continue;
      ++known;
      const Told expected = told(*number);
      const bool listed = knowledge.row(node).has(*number);
      if (!listed || !has_generation(peer, *number, expected.generation, directory.markers()) ||
          !has_home(peer, expected.home_derp))
        ++wrong;
    }
    const std::uint64_t listed = knowledge.peers(node);
    return wrong + (listed > known ? listed - known : 0);
  }

  struct Found {
    Harm harm;
    std::uint64_t count;
  };
  // By rule and text.
  [[nodiscard]] const std::map<std::pair<std::string, std::string>, Found>& findings() const noexcept {
    return findings_;
  }
  // Of those that make a real client drop something.
  [[nodiscard]] std::uint64_t harmful() const;
  template <class Take>
  void for_each_node(Take&& take) const {
    for (const auto& [node, fold] : folds_) take(node);
  }

 private:
  static bool has_home(const ts2021::Node& peer, int home_derp);
  static bool has_generation(const ts2021::Node& peer, std::uint32_t number, std::uint32_t generation,
                             const Markers& markers);

  Capability capability_;
  std::map<std::uint32_t, Fold> folds_;
  std::map<std::pair<std::string, std::string>, Found> findings_;
};

}  // namespace ts2021::app::fleet
