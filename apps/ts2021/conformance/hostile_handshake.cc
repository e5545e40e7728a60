// SPDX-License-Identifier: BSD-3-Clause
// Hostile initiations.
#include <array>

#include "crypto/hex.h"
#include "ts2021/conformance/context.h"
#include "ts2021/noise/handshake.h"

namespace ts2021::app::conformance {
namespace {

struct Answered {
  HttpAnswer answer;
  std::vector<std::uint8_t> behind;  // the 101
  std::string state;

  [[nodiscard]] std::string told() const {
    if (answer.status != 101) return answer.told() + ", connection " + state;
    std::string text = "101, ";
    if (behind.size() >= 3 && behind[0] == 3)
      text += "error record \"" + printable(as_text(Bytes(behind).subspan(3)), 60) + "\"";
    else
      text += behind.empty() ? "no bytes"
                             : std::to_string(behind.size()) + " bytes of type " + std::to_string(behind[0]);
    return text + ", connection " + state;
  }
  [[nodiscard]] bool error_record() const { return behind.size() >= 3 && behind[0] == 3; }
};

Answered send(Context& context, Bytes initiation) {
  RawConnection connection = context.connect();
  connection.send(upgrade_request(context.host(), initiation));
  Answered answered{read_answer(connection), {}, {}};
  if (answered.answer.status == 101) {
    (void)connection.read_until([](Bytes in) { return in.size() >= 51; }, context.patience().silence);
    answered.behind = connection.take(1'024);
  }
  connection.read_to_end();
  answered.state = connection.state();
  return answered;
}

// No message 2: 400, or the end without a byte, before the 101 or behind it.
Outcome is_silence(const Answered& answered) {
  if (answered.answer.refused()) return kept({}, answered.told());
  const bool ended = answered.state != "left open";
  const bool silent =
      answered.answer.status == 0 || (answered.answer.status == 101 && answered.behind.empty());
  if (silent && ended) return kept({}, answered.told());
  if (answered.answer.status == 101 && answered.error_record() && ended) return differs({}, answered.told());
  return broken({}, answered.told());
}

Outcome sizes(Context& context) {
  Worst worst("initiations of wrong sizes");
  const Initiation good = context.initiation();
  std::vector<std::uint8_t> longer(good.message.begin(), good.message.end());
  longer.push_back(0);
  const auto add = [&](std::string_view what, Bytes initiation) {
    const Answered answered = send(context, initiation);
    const bool ended = answered.state != "left open";
    if (answered.answer.refused() || (answered.error_record() && ended))
      worst.add(what, kept({}, answered.told()));
    else
      worst.add(what, answered.answer.status == 101 && answered.behind.empty() && ended
                          ? differs({}, answered.told())
                          : broken({}, answered.told()));
  };
  add("1 byte", Bytes(good.message).first(1));
  add("100 bytes", Bytes(good.message).first(100));
  add("102 bytes", longer);
  add("8 KiB", std::vector<std::uint8_t>(8 << 10, 1));
  return worst.outcome();
}

Outcome header(Context& context) {
  Worst worst("initiations with wrong headers");
  const auto add = [&](std::string_view what, std::size_t at, std::uint8_t value) {
    Initiation bad = context.initiation();
    bad.message[at] = value;
    const Answered answered = send(context, bad.message);
    const bool ended = answered.state != "left open";
    if (answered.answer.refused() || (answered.error_record() && ended))
      worst.add(what, kept({}, answered.told()));
    else
      worst.add(what, answered.answer.status == 101 && answered.behind.empty() && ended
                          ? differs({}, answered.told())
                          : broken({}, answered.told()));
  };
  add("type 2", 2, 2);
  add("length 95", 4, 95);
  return worst.outcome();
}

Outcome other_version(Context& context) {
  Initiation changed = context.initiation();
  changed.message[1] ^= 1;
  Outcome outcome = is_silence(send(context, changed.message));
  outcome.sent = "an initiation whose version was changed on the way";
  return outcome;
}

Outcome other_server(Context& context) {
  const auto other = ControlNoisePublic::from_bytes(MachineKeyPair::generate(context.entropy()).open.bytes());
  Initiation made(context.entropy(), context.stranger(), other, context.version());
  Outcome outcome = is_silence(send(context, made.message));
  outcome.sent = "an initiation for another server's key";
  return outcome;
}

Outcome flipped(Context& context) {
  Worst worst("initiations with one bit flipped");
  for (const auto& [what, at] : {std::pair{"ephemeral", 5}, std::pair{"machine key", 40},
                                 std::pair{"its tag", 84}, std::pair{"the last tag", 100}}) {
    Initiation bad = context.initiation();
    bad.message[static_cast<std::size_t>(at)] ^= 1;
    worst.add(what, is_silence(send(context, bad.message)));
  }
  return worst.outcome();
}

Point point(std::string_view hex) {
  Point out{};
  (void)crypto::decode_hex(hex, out);
  return out;
}

constexpr std::array low_order_points{
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

Outcome low_ephemeral(Context& context) {
  Worst worst("ephemeral keys of low order");
  for (const std::string_view hex : low_order_points) {
    Initiation made = context.initiation({.ephemeral = point(hex)});
    worst.add(hex.substr(0, 4), is_silence(send(context, made.message)));
  }
  return worst.outcome();
}

Outcome low_machine(Context& context) {
  Worst worst("machine keys of low order");
  for (const std::string_view hex : low_order_points) {
    Initiation made = context.initiation({.machine = point(hex)});
    worst.add(hex.substr(0, 4), is_silence(send(context, made.message)));
  }
  return worst.outcome();
}

Outcome second_spelling(Context& context) {
  Point spelled{};
  std::ranges::copy(context.stranger().open.bytes(), spelled.begin());
  spelled[31] |= 0x80;
  Initiation made = context.initiation({.machine_spelled = spelled});
  Outcome outcome = is_silence(send(context, made.message));
  outcome.sent = "a machine key with bit 255 set";
  return outcome;
}

Outcome replay(Context& context) {
  const Initiation made = context.initiation();
  const Answered first = send(context, made.message);
  const Answered second = send(context, made.message);
  const bool answered = second.answer.status == 101 && second.behind.size() >= noise::response_size;
  const bool own = answered && !std::equal(first.behind.begin(), first.behind.begin() + noise::response_size,
                                           second.behind.begin());
  if (answered && !own) return broken("one initiation twice", "one message 2 for both");
  return kept_if(own, "one initiation twice", "the second: " + second.told());
}

constexpr unsigned loud = needs::noise | needs::hostile;
constexpr std::array checks{
    Check{"initiation.size", "HSK-8", Level::must, loud,
          "an initiation of a wrong size gets 400 or an error record", "a client would wait", sizes},
    Check{"initiation.header", "HSK-8", Level::must, loud,
          "a wrong type or length gets 400 or an error record", "a client would wait", header},
    Check{"initiation.version", "HSK-6", Level::must, loud, "a version changed on the way is noticed",
          "who is in the middle would choose the form of answers", other_version},
    Check{"initiation.server", "HSK-8", Level::must, loud,
          "an initiation for another server ends without a byte", "an answer would be to nobody",
          other_server},
    Check{"initiation.bits", "HSK-3", Level::must, loud, "a flipped bit is noticed",
          "its machine has not said it", flipped},
    Check{"initiation.ephemeral", "HSK-7", Level::must, loud, "an ephemeral key of low order is refused",
          "the session's key would be known to others", low_ephemeral},
    Check{"initiation.machine", "HSK-7", Level::must, loud, "a machine key of low order is refused",
          "anybody is that machine, without a key", low_machine},
    Check{"initiation.spelling", "HSK-9", Level::should, loud,
          "a machine key that is not canonical is refused", "a machine would have two names",
          second_spelling},
    Check{"initiation.replay", "HSK-10", Level::must, loud,
          "an initiation that comes again gets a message 2 of its own",
          "it proves nothing, and costs nothing", replay},
};

}  // namespace

std::span<const Check> hostile_handshake_checks() { return checks; }

}  // namespace ts2021::app::conformance
