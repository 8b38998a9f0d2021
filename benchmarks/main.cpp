// SPDX-License-Identifier: MIT
// benchmarks/main.cpp: runs a program's benchmarks and prints them as a Markdown table.
#include "registration.hpp"

#include <benchmark/benchmark.h>

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/kernel/bf16_unit.hpp>
#include <lrqat/kernel/int8_unit.hpp>
#include <lrqat/kernel/isa.hpp>

#include <cstdio>
#include <string>

namespace {

/// One row a benchmark; counters of interest each have a column, the others follow as name = value.
class MarkdownTable : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override {
    std::printf("\n%s, bfloat16 %s, int8 %s, %d threads at most\n\n",
                std::string(name(lrqat::kernel::active_isa())).c_str(),
                std::string(name(lrqat::kernel::active_bf16_unit())).c_str(),
                std::string(name(lrqat::kernel::active_int8_unit())).c_str(),
                lrqat::thread_count());
    std::printf("| benchmark | ms | GFLOP/s | of peak | |\n|---|---:|---:|---:|---|\n");
    return true;
  }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred) {
        std::printf("| %s | %s | | | |\n", run.benchmark_name().c_str(), run.error_message.c_str());
        continue;
      }
      std::string flops, fraction, others = run.report_label;
      for (const auto& [key, counter] : run.counters) {
        const double value = counter;
        if (key == "flops")
          flops = number("%.1f", value * 1e-9);
        else if (key == "fraction_of_peak")
          fraction = number("%.1f %%", value * 100);
        else
          others += (others.empty() ? "" : ", ") + key + " = " + number("%.4g", value);
      }
      const double milliseconds =
          run.real_accumulated_time / static_cast<double>(run.iterations) * 1e3;
      std::printf("| %s | %.4g | %s | %s | %s |\n", run.run_name.function_name.c_str(),
                  milliseconds, flops.c_str(), fraction.c_str(), others.c_str());
      std::fflush(stdout);
    }
  }

 private:
  static std::string number(const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
  }
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  for (const auto registers : lrqat::benchmarks::registrations()) registers();
  MarkdownTable table;
  benchmark::RunSpecifiedBenchmarks(&table);
  benchmark::Shutdown();
}
