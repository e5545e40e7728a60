// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/state_dir.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "common/private_file.h"

namespace ts2021::app {
namespace {

[[noreturn]] void raise(const std::string& what) {
  throw std::runtime_error(what + ": " + std::generic_category().message(errno));
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    if (!std::filesystem::exists(path)) return std::nullopt;
    raise("can't read " + path);
  }
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

template <KeyKind K>
std::vector<KeyPair<K>> parse_keys(const std::string& path, const std::string& text) {
  std::vector<KeyPair<K>> keys;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    auto secret = PrivateKey<K>::parse(line);
    if (!secret || secret->is_zero()) throw std::runtime_error(path + ": not a private key");
    keys.push_back(KeyPair<K>::from(*std::move(secret)));
  }
  if (keys.empty()) throw std::runtime_error(path + ": no key in it");
  return keys;
}

void check(const ServerKeys& keys) {
  for (const auto& noise : keys.noise)
    if (!check_distinct(noise.open, keys.box.open))
      throw std::runtime_error("the Noise key and the NaCl key are the same; every protocol needs its own");
}

}  // namespace

ServerKeys make_keys(Entropy& entropy) {
  ServerKeys keys;
  keys.noise.push_back(ControlNoisePair::generate(entropy));
  keys.box = ControlBoxPair::generate(entropy);
  return keys;
}

ServerKeys load_keys(const std::string& directory, bool rotate, Entropy& entropy) {
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) raise("can't make " + directory);
  const std::string noise_path = directory + "/control-noise.keys",
                    box_path = directory + "/control-nacl.key";
  ServerKeys keys;
  const auto noise_text = read_file(noise_path);
  if (noise_text) keys.noise = parse_keys<KeyKind::control_noise>(noise_path, *noise_text);
  if (!noise_text || rotate) keys.noise.insert(keys.noise.begin(), ControlNoisePair::generate(entropy));
  const bool noise_changed = !noise_text || rotate || keys.noise.size() > 1 + max_old_noise_keys;
  if (keys.noise.size() > 1 + max_old_noise_keys) keys.noise.resize(1 + max_old_noise_keys);
  const auto box_text = read_file(box_path);
  keys.box = box_text ? std::move(parse_keys<KeyKind::control_box>(box_path, *box_text).front())
                      : ControlBoxPair::generate(entropy);
  check(keys);
  if (noise_changed) {
    std::string text;
    for (const auto& pair : keys.noise) text += pair.secret.reveal_text() + "\n";
    write_private_file(noise_path, text);
  }
  if (!box_text) write_private_file(box_path, keys.box.secret.reveal_text() + "\n");
  return keys;
}

TokenKey load_token_key(const std::string& directory) {
  const std::string path = directory + "/identity-token.key";
  const auto text = directory.empty() ? std::nullopt : read_file(path);
  auto key = text ? TokenKey::from_pem(*text) : TokenKey::generate();
  if (!key) throw std::runtime_error(text ? path + ": not a key for tokens" : "can't make a key for tokens");
  if (!text && !directory.empty()) write_private_file(path, key->pem());
  return *std::move(key);
}

}  // namespace ts2021::app
