// SPDX-License-Identifier: MIT
// tests/golden/linear_case.hpp: golden cases of whole layers, on every backend and machine setting.
#ifndef LRQAT_TESTS_GOLDEN_LINEAR_CASE_HPP
#define LRQAT_TESTS_GOLDEN_LINEAR_CASE_HPP

#include <lrqat/lrqat.hpp>

#include <golden/files.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <cstring>

namespace lrqat::test {

/// Cpu or Reference, chosen at run time: one layer type serves both.
struct EitherBackend {
  using policy_kind = kind::backend;
  inline static bool reference = false;

  template <class Weight>
  static void forward(const Weight& weight, MatrixView<const float> x, MatrixView<float> y) {
    reference ? Reference::forward(weight, x, y) : Cpu::forward(weight, x, y);
  }
  template <class P>
  static void backward(P& parameterization, MatrixView<const float> x,
                       MatrixView<const float> grad_y, MatrixView<float> grad_x) {
    reference ? Reference::backward(parameterization, x, grad_y, grad_x)
              : Cpu::backward(parameterization, x, grad_y, grad_x);
  }
};

/// Calls check() with 1, 2 and 3 threads on every instruction set; where Backend is EitherBackend,
/// on Reference first and then on Cpu.
template <class Backend, class Check>
void on_every_machine(Check check) {
  const bool either = std::is_same_v<Backend, EitherBackend>;
  const MachineSettings restored;
  for (const kernel::Isa isa : isas_of_machine()) {
    kernel::set_active_isa(isa);
    for (const int threads : thread_counts({0, 1, 2, 3})) {
      if (threads == 0 && !either) continue;
      EitherBackend::reference = threads == 0;
      set_thread_count(std::max(threads, 1));
      INFO((threads == 0 ? "Reference"
            : either     ? "Cpu"
                         : "another backend")
           << ", " << threads << " threads, " << isa_name(isa));
      check();
    }
  }
}

/// Where the gradient passes, asked of the layer: with dL/dW_hat = 1, dL/dz is zero or not.
template <class Layer>
std::vector<int> mask_of(Layer layer) {
  const Tile whole{0, 0, layer.out_features(), layer.in_features()};
  Matrix z(whole.rows, whole.cols), gradient(whole.rows, whole.cols, 1.0f);
  std::vector<float> shared(layer.weight().shared_gradients());
  layer.weight().latent(whole, z.view());
  layer.weight().backward(whole, z.view(), gradient.view(), shared);
  std::vector<int> mask;
  for (const float passed : gradient.values) mask.push_back(passed != 0.0f);
  return mask;
}

template <class Layer>
void check_merged(const Layer& layer, const Matrix& x, const std::vector<int>& integers,
                  const std::vector<float>& y) {
  const auto merged = layer.merge();
  std::vector<int> codes;
  for (std::size_t i = 0; i < merged.out_features(); ++i)
    for (std::size_t j = 0; j < merged.in_features(); ++j) codes.push_back(merged.code(i, j));
  check_equal("merged codes", codes, integers);
  Matrix merged_y(x.rows, merged.out_features());
  merged.forward(x.view(), merged_y.view());
  CHECK(bits_of(merged_y.values) == bits_of(y));
}

inline std::size_t groups_of(const GoldenCase& golden) {
  const std::size_t out = golden.size("out"), in = golden.size("in"), block = golden.size("block");
  return block == 0 ? out : out * ((in + block - 1) / block);
}

inline QuantOptions options_of(const GoldenCase& golden) {
  QuantOptions options;
  options.group_size = golden.size("block") == 0 ? golden.size("in") : golden.size("block");
  return options;
}

/// The stored base as the case writes it: fixed-point bytes, grid integers or bf16 bit patterns.
template <class Layer, class Storage>
std::vector<int> stored_codes(const Layer& layer) {
  using bound = typename Layer::parameterization::storage;
  std::vector<int> codes;
  const std::byte* row = layer.weight().base().data();
  for (std::size_t i = 0; i < layer.out_features(); ++i) {
    for (std::size_t j = 0; j < layer.in_features(); ++j)
      if constexpr (std::is_same_v<Storage, FixedPoint>) {
        codes.push_back(static_cast<std::int8_t>(row[j]));
      } else if constexpr (std::is_same_v<Storage, Packed>) {
        codes.push_back(bound::load(row, j));
      } else {
        std::uint16_t pattern;
        std::memcpy(&pattern, row + 2 * j, 2);
        codes.push_back(pattern);
      }
    row += bound::bytes_per_row(layer.in_features());
  }
  return codes;
}

/// Two nibbles a byte, the even input in the low one: the cases' form for every b <= 4.
inline std::vector<int> in_nibbles(const std::vector<int>& codes, std::size_t in) {
  using Nibbles = Packed::bound_to<Int<4>>;
  std::vector<int> bytes;
  for (std::size_t first = 0; first < codes.size(); first += in) {
    std::vector<std::byte> row(Nibbles::bytes_per_row(in));
    for (std::size_t j = 0; j < in; ++j) Nibbles::store(row.data(), j, codes[first + j]);
    for (const std::byte byte : row) bytes.push_back(std::to_integer<int>(byte));
  }
  return bytes;
}

template <int Bits, class Storage, class Adapter, class Backend>
void check_lrqat_linear(const GoldenCase& golden) {
  using Layer =
      QuantLinear<Int<Bits>, PerGroup<dynamic>, Storage, Adapter, InsideRounding, Backend>;
  constexpr bool adapts = !std::is_same_v<Adapter, NoAdapter>;
  const std::size_t out = golden.size("out"), in = golden.size("in"), n = golden.size("n");
  const std::size_t rank = golden.size("rank"), groups = groups_of(golden);
  REQUIRE(golden.integer("qmin") == Int<Bits>::code_min);
  REQUIRE(golden.integer("qmax") == Int<Bits>::code_max);

  QuantOptions options = options_of(golden);
  options.rank = rank;
  options.alpha = static_cast<float>(golden.number("alpha"));
  const Matrix w0(out, in, golden.floats("W0", out * in)), x(n, in, golden.floats("x", n * in));
  const Matrix grad_out(n, out, golden.floats("grad_out", n * out));
  std::vector<QParams> first_scales;
  for (const float scale : golden.floats("s0", groups)) first_scales.push_back({scale, 0.0f});
  const auto scales = golden.floats("s", groups);
  std::vector<float> a, b;
  if (adapts) a = golden.floats("A", out * rank), b = golden.floats("B", rank * in);

  Layer layer(w0.view(), first_scales, options);
  std::copy(scales.begin(), scales.end(), layer.weight().scales().begin());
  for (const Parameter<float>& each : layer.parameters())
    if (each.role == Role::adapter)
      std::copy_n((each.name == "A" ? a : b).begin(), each.value.size(), each.value.begin());

  if constexpr (!std::is_same_v<Storage, Dense<float>>) {
    const auto codes = stored_codes<Layer, Storage>(layer);
    check_equal("phi_code", codes, golden.integers("phi_code", out * in));
    if constexpr (std::is_same_v<Storage, Packed> && Bits <= 4) {
      const auto nibbles = golden.integers("phi_packed", out * ((in + 1) / 2));
      check_equal("phi_packed", in_nibbles(codes, in), nibbles);
      if constexpr (Bits == 4) {
        std::vector<int> bytes;
        for (const std::byte byte : layer.weight().base())
          bytes.push_back(std::to_integer<int>(byte));
        check_equal("the stored bytes", bytes, nibbles);
      }
    }
  }
  if constexpr (std::is_same_v<Storage, FixedPoint>)
    CHECK(golden.integer("frac_bits") == Layer::parameterization::storage::fraction_bits);

  const auto integers = golden.integers("W_int", out * in),
             mask = golden.integers("mask", out * in);
  const auto y = golden.doubles("y", n * out), dx = golden.doubles("dx", n * in);
  const auto ds = golden.doubles("ds", groups);
  std::vector<double> da, db;
  if (adapts) da = golden.doubles("dA", out * rank), db = golden.doubles("dB", rank * in);
  on_every_machine<Backend>([&] {
    check_equal("W_int", levels_of(layer), integers);
    check_equal("mask", mask_of(layer), mask);
    const Passes got = run_passes(layer, x, grad_out);
    check_close("y", got.y.values, y, golden.number("atol_y"));
    check_close("dx", got.grad_x.values, dx, golden.number("atol_dx"));
    check_close("ds", got.gradients.back(), ds, golden.number("atol_ds"));
    if (adapts) {
      check_close("dA", got.gradients[0], da, golden.number("atol_dA"));
      check_close("dB", got.gradients[1], db, golden.number("atol_dB"));
    }
    check_merged(layer, x, integers, got.y.values);
  });
}

template <int Bits, class Storage, class Backend>
void check_lrqat_storage(const GoldenCase& golden) {
  golden.size("rank") == 0 ? check_lrqat_linear<Bits, Storage, NoAdapter, Backend>(golden)
                           : check_lrqat_linear<Bits, Storage, LowRank<dynamic>, Backend>(golden);
}

/// Every case of kind "lrqat_linear" with that many bits.
template <int Bits, class Backend = EitherBackend>
void check_lrqat_cases() {
  for_each_golden("lrqat_linear", [](const GoldenCase& golden) {
    if (golden.integer("bits") != Bits) return;
    const std::string phi = golden.text("phi");
    if (phi == "fp32") return check_lrqat_storage<Bits, Dense<float>, Backend>(golden);
    if (phi == "bf16") return check_lrqat_storage<Bits, Dense<bf16>, Backend>(golden);
    if (phi == "fixed8") return check_lrqat_storage<Bits, FixedPoint, Backend>(golden);
    if (phi == "int") return check_lrqat_storage<Bits, Packed, Backend>(golden);
    fail(golden.file(), ": unknown phi \"", phi, "\"");
  });
}

/// LSQ's factor on the scale's gradient with the mask of the cases, which is the rounded one.
struct ScaledStraightThrough {
  using policy_kind = kind::estimator;
  template <class V>
  LRQAT_INLINE static V pass(V u, V rounded, V level, V low, V high) {
    return StraightThrough::pass(u, rounded, level, low, high);
  }
  static float scale_factor(std::size_t group, float high) {
    return Lsq::scale_factor(group, high);
  }
};

template <int Bits, class Backend = EitherBackend>
void check_lsq_linear(const GoldenCase& golden) {
  using Layer = QuantLinear<Int<Bits>, PerGroup<dynamic>, FullRank, WeightDomain, Backend>;
  using ScaledLayer = QuantLinear<Int<Bits>, PerGroup<dynamic>, FullRank, WeightDomain, Backend,
                                  ScaledStraightThrough>;
  const std::size_t out = golden.size("out"), in = golden.size("in"), n = golden.size("n");
  const std::size_t groups = groups_of(golden);
  REQUIRE(golden.integer("qmin") == Int<Bits>::code_min);
  REQUIRE(golden.integer("qmax") == Int<Bits>::code_max);

  const Matrix w(out, in, golden.floats("W", out * in)), x(n, in, golden.floats("x", n * in));
  const Matrix grad_out(n, out, golden.floats("grad_out", n * out));
  std::vector<QParams> scales;
  for (const float scale : golden.floats("s", groups)) scales.push_back({scale, 0.0f});
  const Layer layer(w.view(), scales, options_of(golden));
  const ScaledLayer scaled(w.view(), scales, options_of(golden));

  const auto integers = golden.integers("W_int", out * in),
             mask = golden.integers("mask", out * in);
  const auto y = golden.doubles("y", n * out), dx = golden.doubles("dx", n * in);
  const auto dw = golden.doubles("dW", out * in), ds = golden.doubles("ds", groups);
  const auto ds_scaled = golden.doubles("ds_scaled", groups);
  const double factor = golden.number("lsq_grad_factor"), atol_ds = golden.number("atol_ds");
  // Four roundings of the factor and of the product with it: 4 * 2^-24 of the largest value.
  double largest = 0;
  for (const double value : ds_scaled) largest = std::max(largest, std::fabs(value));
  const double atol_scaled = factor * atol_ds + largest * 0x1p-22;
  on_every_machine<Backend>([&] {
    check_equal("W_int", levels_of(layer), integers);
    check_equal("mask", mask_of(layer), mask);
    const Passes got = run_passes(layer, x, grad_out);
    check_close("y", got.y.values, y, golden.number("atol_y"));
    check_close("dx", got.grad_x.values, dx, golden.number("atol_dx"));
    check_close("dW", got.gradients[0], dw, golden.number("atol_dW"));
    check_close("ds", got.gradients[1], ds, atol_ds);
    check_close("ds_scaled", run_passes(scaled, x, grad_out).gradients[1], ds_scaled, atol_scaled);
    check_merged(layer, x, integers, got.y.values);
  });
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_GOLDEN_LINEAR_CASE_HPP
