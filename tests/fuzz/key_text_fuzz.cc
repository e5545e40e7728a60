// SPDX-License-Identifier: BSD-3-Clause
// Any text: what is read as a key is written as the same text in lower case, and read again.
#include <string>

#include "fuzz/fuzz.h"
#include "ts2021/key/key.h"

using namespace ts2021;

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

template <KeyKind K>
void check(std::string_view text) {
  if (const auto key = PublicKey<K>::parse(text)) {
    const std::string written = key->text();
    // The display form of a tailnet lock key comes back in the other one.
    const std::string read =
        text.starts_with("tlpub:") ? "nlpub:" + std::string(text.substr(6)) : std::string(text);
    TS_EXPECT(written == lower(read));
    TS_EXPECT(*PublicKey<K>::parse(written) == *key);
    TS_EXPECT(key->short_text().size() <= 18);
    TS_EXPECT(key->is_zero() == key->short_text().empty());
  }
  if constexpr (has_secret_text<K>) {
    if (const auto key = PrivateKey<K>::parse(text)) {
      TS_EXPECT(key->reveal_text() == lower(text));
      TS_EXPECT(key->is_zero() ? key->public_key().is_zero() : !key->public_key().text().empty());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(Bytes(data, size));
  check<KeyKind::machine>(text);
  check<KeyKind::control_noise>(text);
  check<KeyKind::control_box>(text);
  check<KeyKind::node>(text);
  check<KeyKind::disco>(text);
  check<KeyKind::challenge>(text);
  check<KeyKind::tailnet_lock>(text);
  if (const auto key = MachinePublic::parse_bare(text)) TS_EXPECT(key->bare_text() == lower(text));
  if (const auto key = HardwareAttestationPublic::parse(text))
    TS_EXPECT(key->is_zero() || key->text() == lower(text));
  return 0;
}
