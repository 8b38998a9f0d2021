// SPDX-License-Identifier: MIT
// tests/golden/files.hpp: the cases of the golden folder, each checked under its file's name.
#ifndef LRQAT_TESTS_GOLDEN_FILES_HPP
#define LRQAT_TESTS_GOLDEN_FILES_HPP

#include <catch2/catch.hpp>
#include <support/data.hpp>
#include <support/golden_case.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace lrqat::test {

/// The *.json files of the folder in the order of their names; nothing where there is no folder.
inline std::optional<std::vector<std::filesystem::path>> golden_files() {
  const auto folder = golden_folder();
  if (!folder) return std::nullopt;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(*folder))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// The readable cases of the folder, each read once. Broken files are reported by "Golden: every
/// file is a case of a known kind".
inline const std::vector<GoldenCase>& golden_cases() {
  static const std::vector<GoldenCase> cases = [] {
    std::vector<GoldenCase> readable;
    if (const auto files = golden_files())
      for (const auto& path : *files) try {
          readable.emplace_back(path);
        } catch (const Error&) {
        }
    return readable;
  }();
  return cases;
}

/// Runs check(case) for each case of that kind, as a section of its file's name. A case that lacks
/// a key that the check asks for fails there.
template <class Check>
void for_each_golden(const std::string& kind, Check check) {
  if (!golden_folder()) return;
  for (const GoldenCase& golden : golden_cases()) {
    if (!golden.has("kind") || golden.text("kind") != kind) continue;
    DYNAMIC_SECTION(golden.file()) {
      INFO("file " << golden.file());
      REQUIRE_NOTHROW(check(golden));
    }
  }
}

/// Each value within atol of its reference; a failure names the worst one.
inline void check_close(const std::string& what, const std::vector<float>& got,
                        const std::vector<double>& reference, double atol) {
  REQUIRE(got.size() == reference.size());
  std::size_t worst = 0, wrong = 0;
  double largest = -1;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::fabs(static_cast<double>(got[i]) - reference[i]);
    if (!(error <= atol)) ++wrong;
    if (!(error <= largest)) {
      largest = error;
      worst = i;
    }
  }
  INFO(what << ": " << wrong << " of " << got.size() << " values off; the worst at " << worst
            << ", |" << (got.empty() ? 0 : got[worst]) << " - "
            << (got.empty() ? 0 : reference[worst]) << "| = " << largest << ", atol " << atol);
  CHECK(wrong == 0);
}

/// Equal integers; a failure names the first difference.
inline void check_equal(const std::string& what, const std::vector<int>& got,
                        const std::vector<int>& reference) {
  REQUIRE(got.size() == reference.size());
  const auto difference = std::mismatch(got.begin(), got.end(), reference.begin());
  INFO(what << ": first difference at " << difference.first - got.begin());
  CHECK((difference.first == got.end()));
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_GOLDEN_FILES_HPP
