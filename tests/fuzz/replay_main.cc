// SPDX-License-Identifier: BSD-3-Clause
// Runs a fuzz target without libFuzzer: over every file of its corpus, every prefix of the small ones and a
// bounded number of single-byte changes, always the same. Fails when the corpus is empty.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

// A fresh heap copy of the exact size each time, so that sanitizers see every overrun.
void run(const std::vector<std::uint8_t>& input) {
  const std::vector<std::uint8_t> copy(input);
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t files = 0, runs = 0;
  for (int i = 1; i < argc; ++i) {
    std::vector<std::filesystem::path> paths;
    if (std::filesystem::is_directory(argv[i]))
      for (const auto& entry : std::filesystem::directory_iterator(argv[i])) paths.push_back(entry.path());
    else
      paths.emplace_back(argv[i]);
    for (const auto& path : paths) {
      std::ifstream in(path, std::ios::binary);
      const std::vector<std::uint8_t> seed{std::istreambuf_iterator<char>(in), {}};
      ++files;
      run(seed);
      ++runs;
      const std::size_t step = seed.size() / 64 + 1;
      for (std::size_t n = 0; n < seed.size(); n += step, ++runs)
        run({seed.begin(), seed.begin() + static_cast<std::ptrdiff_t>(n)});
      for (std::size_t n = 0; n < seed.size(); n += step)
        for (const int flip : {0x01, 0x20, 0x80, 0xff}) {
          auto changed = seed;
          changed[n] = static_cast<std::uint8_t>(changed[n] ^ flip);
          run(changed);
          ++runs;
        }
    }
  }
  std::printf("%zu corpus files, %zu runs\n", files, runs);
  if (files == 0) std::fprintf(stderr, "no corpus: every fuzz target needs seeds\n");
  return files == 0 ? 1 : 0;
}
