// SPDX-License-Identifier: MIT
// tests/golden/golden.test.cpp: the golden folder as a whole, ranges and activation quantizers.
#include <support/golden_case.hpp>

#include <lrqat/lrqat.hpp>

#include <golden/files.hpp>
#include <support/matrix.hpp>
#include <support/temporary_folder.hpp>

#include <set>

namespace lrqat::test {
namespace {

TEST_CASE("Golden: every file is a case of a known kind", "[golden]") {
  const auto files = golden_files();
  if (!files) return;
  REQUIRE_FALSE(files->empty());
  const std::set<std::string> kinds{"lrqat_linear", "lsq_linear", "range_init", "act_quant"};
  for (const auto& path : *files) {
    INFO("file " << path.filename().string());
    std::string kind;
    int bits = 0;
    CHECK_NOTHROW([&] {
      const GoldenCase golden(path);
      kind = golden.text("kind");
      bits = golden.integer("bits");
    }());
    CHECK(kinds.contains(kind));
    CHECK((bits >= 2 && bits <= 8));
  }
}

/// Calls f.template operator()<Grid<bits>>().
template <template <int> class GridOf, class F>
void with_bits(const GoldenCase& golden, F f) {
  switch (golden.integer("bits")) {
    case 2:
      return f.template operator()<GridOf<2>>();
    case 3:
      return f.template operator()<GridOf<3>>();
    case 4:
      return f.template operator()<GridOf<4>>();
    case 5:
      return f.template operator()<GridOf<5>>();
    case 6:
      return f.template operator()<GridOf<6>>();
    case 7:
      return f.template operator()<GridOf<7>>();
    case 8:
      return f.template operator()<GridOf<8>>();
  }
  fail(golden.file(), ": ", golden.integer("bits"), " bits");
}

/// The initializer of a case's exponent.
template <class G>
QParams search(const GoldenCase& golden, std::span<const float> group) {
  const double power = golden.number("power");
  if (power == 2) return LpSearch<2>::choose<G>(group);
  if (power == 2.4) return LpSearch<12, 5>::choose<G>(group);
  if (power == 3) return LpSearch<3>::choose<G>(group);
  if (power == 3.5) return LpSearch<7, 2>::choose<G>(group);
  if (power == 4) return LpSearch<4>::choose<G>(group);
  if (power == 5) return LpSearch<5>::choose<G>(group);
  fail(golden.file(), ": no initializer for the power ", power);
}

TEST_CASE("Golden: ranges of the initializers", "[golden]") {
  for_each_golden("range_init", [](const GoldenCase& golden) {
    with_bits<Int>(golden, [&]<class G>() {
      const std::size_t out = golden.size("out"), in = golden.size("in");
      const std::size_t group = golden.size("block") == 0 ? in : golden.size("block");
      const std::size_t groups = out * ((in + group - 1) / group);
      const Matrix w0(out, in, golden.floats("W0", out * in));
      const auto s_minmax = golden.floats("s_minmax", groups), s_lp = golden.floats("s_lp", groups);
      const auto best = golden.integers("best_k", groups);
      REQUIRE(golden.integer("candidates") == LpSearch<4>::candidates);
      const ScaleLayout layout{{out, (in + group - 1) / group}, group};
      layout.for_each_segment({0, 0, out, in}, [&](auto row, auto col, auto count, auto cell) {
        INFO("group " << cell << ", row " << row);
        const auto weights = w0.view().row(row).subspan(col, count);
        CHECK(MinMax::choose<G>(weights).scale == s_minmax[cell]);
        const float found = search<G>(golden, weights).scale;
        CHECK(std::fabs(found - s_lp[cell]) <= 1e-5f * s_lp[cell]);
        const Range range = range_of(weights);
        if (range.low != range.high)
          CHECK(qparams_of_range<G>(range, static_cast<float>(best[cell]) / 100.0f).scale == found);
      });
    });
  });
}

TEST_CASE("Golden: activation quantizers", "[golden]") {
  for_each_golden("act_quant", [](const GoldenCase& golden) {
    with_bits<UInt>(golden, [&]<class G>() {
      const auto check = [&]<class In>() {
        const std::size_t n = golden.size("n"), in = golden.size("in");
        REQUIRE(golden.integer("qmax") == G::code_max);
        const Matrix x(n, in, golden.floats("x", n * in));
        Matrix x_hat(n, in), dx(n, in, golden.floats("grad_out", n * in));
        const auto scale = golden.doubles("scale", n), zero = golden.doubles("zero", n);
        for (std::size_t t = 0; t < n; ++t) {
          INFO("token " << t);
          const auto token = In::observe(x.view().row(t));
          // Difference, quotient and, for the zero point, another quotient: 2^-24 of the value
          // each (the difference's error counts relative to its operands, hence the extreme).
          double extreme = 0;
          for (const float value : x.view().row(t))
            extreme = std::max(extreme, std::fabs(static_cast<double>(value)));
          const double atol = 0x1p-23 * (scale[t] + extreme / G::code_max);
          CHECK(std::fabs(static_cast<double>(token.scale) - scale[t]) <= atol);
          CHECK(std::fabs(static_cast<double>(token.zero_point) - zero[t]) <=
                std::fabs(zero[t]) * (atol / scale[t] + 0x1p-22));
          In::forward(x.view().row(t), x_hat.view().row(t));
          In::backward(x.view().row(t), dx.view().row(t));
        }
        check_close("x_hat", x_hat.values, golden.doubles("x_hat", n * in),
                    golden.number("atol_x_hat"));
        CHECK(dx.values == golden.floats("dx", n * in));
      };
      const std::string mode = golden.text("zp_mode");
      if (mode == "float") return check.template operator()<Input<G>>();
      if (mode == "int") return check.template operator()<Input<G, PerToken, IntegerZeroPoint>>();
      fail(golden.file(), ": unknown zp_mode \"", mode, "\"");
    });
  });
}

TEST_CASE("GoldenCase: whatever the format does not know is an error", "[golden]") {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& content) {
    std::ofstream(folder / "case.json") << content;
    return GoldenCase(folder / "case.json");
  };
  const GoldenCase good = read(R"({"kind": "x", "n": 2, "v": [0.1, -3, 1e-3], "none": []})");
  CHECK(good.text("kind") == "x");
  CHECK(good.integer("n") == 2);
  CHECK(good.floats("v", 3) == std::vector<float>{0.1f, -3.0f, 1e-3f});
  CHECK(good.floats("none", 0).empty());
  CHECK_THROWS_AS(good.integer("m"), Error);
  CHECK_THROWS_AS(good.integer("v"), Error);
  CHECK_THROWS_AS(good.text("n"), Error);
  CHECK_THROWS_AS(good.floats("v", 2), Error);
  CHECK_THROWS_AS(good.integers("v", 3), Error);
  for (const char* bad :
       {"", "[1]", "3", "{", R"({"a": 1)", R"({"a": {"b": 1}})", R"({"a": [[1]]})",
        R"({"a": [{}]})", R"({"a": null})", R"({"a": true})", R"({"a": ["x"]})",
        R"({"a": 1, "a": 2})", R"({"a": 1} x)", R"({"a": NaN})", R"({"a": 1e999})"}) {
    INFO(bad);
    CHECK_THROWS_AS(read(bad), Error);
  }
  CHECK_THROWS_AS(read(R"({"a": [1e39]})").floats("a", 1), Error);
}

}  // namespace
}  // namespace lrqat::test
