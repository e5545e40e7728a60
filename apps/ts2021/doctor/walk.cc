// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/doctor/walk.h"

#include <utility>

#include "ts2021/doctor/site.h"

namespace ts2021::app {
namespace {

class Walker {
 public:
  Walker(const WalkOptions& options, const std::function<void(const Record&)>& on_record)
      : options_(options),
        on_record_(on_record),
        reach_(options.target.control(), options.target.dialing(), ports()) {}

  std::vector<Record> walk() {
    if (!good(reach_.look_up())) return skip_from(Hop::port, "the host has no address");
    for (const Way way : {Way::plain, Way::tls})
      if (reach_.has(way)) add(reach_.knock(way));
    if (reach_.answers(Way::tls)) add(reach_.shake_hands());
    if (!reach_.open(reach_.own_way())) return skip_from(Hop::key, "the URL's port can't be used");

    KeyFound key = ask_key(reach_, options_.target.version());
    add(key.record);
    if (key.record.what == What::silence || key.record.what == What::speaks_tls)
      return skip_from(Hop::upgrade, "the URL's port can't be used");
    SystemEntropy entropy;
    const MachineKeyPair machine = MachineKeyPair::generate(entropy);
    const Identity identity{machine, key.key, static_cast<ProtocolVersion>(options_.target.capability)};
    for (const Way way : {Way::plain, Way::tls, Way::websocket})
      if (reach_.open(way))
        for (Record& record : walk_in(reach_, way, identity)) add(std::move(record));

    const Way way = way_of_node();
    if (way == Way::none) return skip_from(Hop::register_node, "no way in works");
    if (options_.life.auth_key.empty() && !options_.register_node)
      return skip_from(Hop::register_node, "neither --auth-key nor --register is given");
    for (Record& record : live(reach_, way, identity, options_.life)) add(std::move(record));
    if (records_.back().what != What::fine)
      return skip_from(static_cast<Hop>(static_cast<int>(records_.back().hop) + 1), "the hop before fails");
    if (records_.back().hop == Hop::map) return skip_from(Hop::keep_alive, "--keep-alive is not given");
    return std::move(records_);
  }

 private:
  ClientPorts ports() const {
    ClientPorts ports = client_ports(options_.target.control());
    if (options_.plain_port && options_.target.control().tls) ports.plain = *options_.plain_port;
    if (options_.tls_port && !options_.target.control().tls) ports.tls = options_.tls_port;
    return ports;
  }

  void add(Record record) {
    records_.push_back(std::move(record));
    on_record_(records_.back());
  }
  bool good(Record record) {
    const bool is_good = record.what == What::fine;
    add(std::move(record));
    return is_good;
  }
  std::vector<Record> skip_from(Hop hop, const char* why) {
    for (int i = static_cast<int>(hop); i <= static_cast<int>(Hop::keep_alive); ++i)
      add({.hop = static_cast<Hop>(i), .verdict = Verdict::skipped, .fact = why});
    return std::move(records_);
  }

  // That of the URL if it works.
  Way way_of_node() const {
    const auto in = [&](Way way) {
      for (const Record& record : records_)
        if (record.hop == Hop::http2 && record.way == way) return record.what == What::fine;
      return false;
    };
    for (const Way way : {reach_.own_way(), Way::plain, Way::tls, Way::websocket})
      if (in(way)) return way;
    return Way::none;
  }

  const WalkOptions& options_;
  const std::function<void(const Record&)>& on_record_;
  Reach reach_;
  std::vector<Record> records_;
};

}  // namespace

std::vector<Record> walk(const WalkOptions& options, const std::function<void(const Record&)>& on_record) {
  return Walker(options, on_record).walk();
}

}  // namespace ts2021::app
