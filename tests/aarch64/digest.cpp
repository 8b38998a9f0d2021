// SPDX-License-Identifier: MIT
// tests/aarch64/digest.cpp: what layers compute, as one line of hashes for each instruction set of
// the machine, to be compared with those of another machine.
#include <lrqat/lrqat.hpp>

#include <support/machine.hpp>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

namespace lrqat::test {
namespace {

/// FNV-1a, 64 bits.
class Hash {
 public:
  template <class T>
  void add(std::span<const T> values) {
    for (const std::byte byte : std::as_bytes(values))
      state_ = (state_ ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3;
  }
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325;
};

/// Sums of four uniform numbers: bell-shaped and exact on every machine, unlike normal().
std::vector<float> random_values(std::size_t count, float scale, std::uint64_t seed) {
  const CounterRng random(seed, 0xd16e57);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    float sum = 0.0f;
    for (std::size_t k = 0; k < 4; ++k) sum += random.uniform(4 * i + k);
    values[i] = scale * (sum - 2.0f);
  }
  return values;
}

/// Freezes a weight, gives the adapter values, runs both passes and merges: `integers` takes the
/// base, the scales and the merged codes, `floats` outputs and gradients.
template <class Layer>
void digest(const char* name, kernel::Isa isa, std::size_t out, std::size_t in) {
  constexpr std::size_t tokens = 37;
  QuantOptions options;
  options.seed = 11;
  options.alpha = 3.0f;
  options.group_size = 32;
  const auto weight = random_values(out * in, 0.3f, 1), x = random_values(tokens * in, 1.0f, 2);
  const auto grad_y = random_values(tokens * out, 0.1f, 3);
  Layer layer(MatrixView<const float>(weight.data(), out, in), options);
  std::uint64_t seed = 4;
  for (const Parameter<float>& each : layer.parameters()) {
    if (each.role != Role::adapter) continue;
    const auto values = random_values(each.value.size(), 1.0f, seed++);
    std::copy(values.begin(), values.end(), each.value.begin());
  }
  std::vector<float> y(tokens * out), grad_x(tokens * in);
  const MatrixView<const float> x_view(x.data(), tokens, in);
  layer.forward(x_view, {y.data(), tokens, out});
  layer.backward(x_view, {grad_y.data(), tokens, out}, {grad_x.data(), tokens, in});

  Hash integers, floats;
  const auto merged = layer.merge();
  integers.add(layer.weight().base());
  integers.add(std::span<const std::int16_t>(merged_weight(merged).codes));
  integers.add(merged.scales());
  integers.add(merged.zero_points());
  floats.add(std::span<const float>(y));
  floats.add(std::span<const float>(grad_x));
  for (const NamedGradient& each : layer.gradients()) floats.add(each.values);
  std::printf("%s %s integers %016llx floats %016llx\n", name, isa_name(isa).c_str(),
              static_cast<unsigned long long>(integers.value()),
              static_cast<unsigned long long>(floats.value()));
}

void digest_all(kernel::Isa isa) {
  digest<method::LrQat<4, 32>>("lr_qat_b4_r32", isa, 300, 259);
  digest<method::LrQat<4, 32, Compute<bf16>>>("lr_qat_b4_r32_bf16", isa, 300, 259);
  digest<method::LrQat<2, 8, PerGroup<dynamic>>>("lr_qat_b2_r8_groups", isa, 130, 544);
  digest<QuantLinear<UInt<3>, PerGroup<dynamic>, LowRank<5>, LpSearch<4>>>("uint3_r5_groups", isa,
                                                                           130, 256);
  digest<QuantLinear<UInt<8>, Input<UInt<8>>, LpSearch<4>>>("uint8_input8", isa, 130, 257);
  digest<method::LsqPaper<4>>("lsq_b4", isa, 130, 257);
}

}  // namespace
}  // namespace lrqat::test

int main() {
  const lrqat::test::MachineSettings restored;
  for (const lrqat::kernel::Isa isa : lrqat::test::isas_of_machine()) {
    lrqat::kernel::set_active_isa(isa);
    lrqat::test::digest_all(isa);
  }
}
