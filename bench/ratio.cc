// SPDX-License-Identifier: BSD-3-Clause
#include "ratio.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>

namespace {

std::uint64_t allocation_count = 0;

// Keeps the best time of each benchmark, in nanoseconds per item.
class Best final : public benchmark::ConsoleReporter {
 public:
  Best() : ConsoleReporter(OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override {
    std::vector<Run> shown;
    for (const Run& run : runs) {
      if (run.aggregate_name == "median" || run.error_occurred) shown.push_back(run);
      if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
      const auto items = run.counters.find("items_per_second");
      const double time = items != run.counters.end() ? 1e9 / items->second.value : run.GetAdjustedCPUTime();
      const auto [at, fresh] = best_.try_emplace(run.run_name.function_name, time);
      if (!fresh) at->second = std::min(at->second, time);
    }
    ConsoleReporter::ReportRuns(shown);
  }
  void print() const {
    for (const auto& [name, time] : best_) std::printf("best %-25s %.0f ns\n", name.c_str(), time);
  }
  // 0 for one that did not run.
  double of(const std::string& name) const {
    const auto at = best_.find(name);
    return at == best_.end() ? 0 : at->second;
  }

 private:
  std::map<std::string, double> best_;
};

}  // namespace

void* operator new(std::size_t size) {
  ++allocation_count;
  if (void* p = std::malloc(size ? size : 1)) return p;
  std::abort();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace ts2021::bench {

std::uint64_t allocations() noexcept { return allocation_count; }

int run(int argc, char** argv, const std::vector<Ratio>& ratios) {
  std::vector<char*> args(argv, argv + argc);
  std::string mixed = "--benchmark_enable_random_interleaving=true", times = "--benchmark_repetitions=9",
              shortly = "--benchmark_min_time=0.1";
  args.insert(args.begin() + 1,
              {mixed.data(), times.data(), shortly.data()});  // the caller's own come later and win
  int count = static_cast<int>(args.size());
  benchmark::Initialize(&count, args.data());
  if (benchmark::ReportUnrecognizedArguments(count, args.data())) return 2;
  Best best;
  benchmark::RunSpecifiedBenchmarks(&best);
  bool good = true;
  std::printf("\n");
  best.print();
  for (const Ratio& ratio : ratios) {
    const double over = best.of(ratio.over), under = best.of(ratio.under);
    if (over == 0 || under == 0) continue;
    const bool within = ratio.budget == 0 || over / under <= ratio.budget;
    std::printf("ratio %-58s %.3f", ratio.what.c_str(), over / under);
    if (ratio.budget > 0) std::printf("  (budget %.2f) %s", ratio.budget, within ? "good" : "ABOVE");
    std::printf("\n");
    good = good && within;
  }
  return good ? 0 : 1;
}

}  // namespace ts2021::bench
