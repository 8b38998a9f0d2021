// SPDX-License-Identifier: MIT
// tests/main.cpp: runs the tests, or lists their names (--names); says "skipped" (77) only where
// nothing failed.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <iostream>
#include <streambuf>
#include <string_view>

namespace {

/// Passes everything on to another buffer and remembers whether the skip marker of
/// support/data.hpp went by.
class MarkerWatch : public std::streambuf {
 public:
  explicit MarkerWatch(std::streambuf* target) : target_(target) {}
  bool seen() const { return seen_; }

 private:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    const std::string_view written(text, static_cast<std::size_t>(size));
    if (written.find("LRQAT_TEST_SKIPPED") != std::string_view::npos) seen_ = true;
    return target_->sputn(text, size);
  }
  int_type overflow(int_type c) override {
    return traits_type::eq_int_type(c, traits_type::eof())
               ? traits_type::not_eof(c)
               : target_->sputc(traits_type::to_char_type(c));
  }
  int sync() override { return target_->pubsync(); }

  std::streambuf* target_;
  bool seen_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  Catch::Session session;
  if (argc == 2 && std::string_view(argv[1]) == "--names") {
    for (const auto& test : Catch::getAllTestCasesSorted(session.config()))
      if (!test.getTestCaseInfo().isHidden()) std::cout << test.getTestCaseInfo().name << '\n';
    return 0;
  }
  if (const int wrong = session.applyCommandLine(argc, argv)) return wrong;

  MarkerWatch watch(std::cout.rdbuf());
  std::streambuf* const original = std::cout.rdbuf(&watch);
  const int failed = session.run();  // a count, which might be 77 as well
  std::cout.rdbuf(original);
  if (failed != 0) return 1;
  return watch.seen() ? 77 : 0;
}
