// SPDX-License-Identifier: MIT
// core/rng.hpp: random numbers as a pure function of (seed, stream, index).
#ifndef LRQAT_CORE_RNG_HPP
#define LRQAT_CORE_RNG_HPP

#include <array>
#include <cmath>
#include <cstdint>

namespace lrqat {

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
/// It has no state: number `index` of a (seed, stream) is the same whoever asks, in which order
/// and on how many threads, and a resumed run only needs to remember where it was.
class CounterRng {
 public:
  constexpr CounterRng(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  /// Numbers 4 * counter to 4 * counter + 3 at once: Philox of the counter (counter, stream) under
  /// the key `seed`, low words first.
  constexpr std::array<std::uint32_t, 4> block(std::uint64_t counter) const {
    std::array<std::uint32_t, 4> x{low(counter), high(counter), low(stream_), high(stream_)};
    std::uint32_t key0 = low(seed_), key1 = high(seed_);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * x[0];
      const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * x[2];
      x = {high(product1) ^ x[1] ^ key0, low(product1), high(product0) ^ x[3] ^ key1,
           low(product0)};
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    return x;
  }

  /// 32 uniform bits.
  constexpr std::uint32_t bits(std::uint64_t index) const { return block(index / 4)[index % 4]; }

  /// Uniform in [0, 1), a multiple of 2^-24.
  constexpr float uniform(std::uint64_t index) const {
    return static_cast<float>(bits(index) >> 8) * 0x1p-24f;
  }

  /// Uniform integer in [0, bound), bound >= 1; the bias is below bound / 2^32.
  constexpr std::uint32_t below(std::uint32_t bound, std::uint64_t index) const {
    return static_cast<std::uint32_t>((std::uint64_t{bits(index)} * bound) >> 32);
  }

  /// Standard normal (Box-Muller on the pair that `index` belongs to).
  float normal(std::uint64_t index) const {
    const std::uint64_t pair = index / 2 * 2;
    const double u = (static_cast<double>(bits(pair)) + 0.5) * 0x1p-32;
    const double angle = static_cast<double>(bits(pair + 1)) * (6.283185307179586 * 0x1p-32);
    const double radius = std::sqrt(-2.0 * std::log(u));
    return static_cast<float>(radius * (index % 2 == 0 ? std::cos(angle) : std::sin(angle)));
  }

 private:
  static constexpr std::uint32_t low(std::uint64_t word) {
    return static_cast<std::uint32_t>(word);
  }
  static constexpr std::uint32_t high(std::uint64_t word) {
    return static_cast<std::uint32_t>(word >> 32);
  }

  std::uint64_t seed_, stream_;
};

}  // namespace lrqat

#endif  // LRQAT_CORE_RNG_HPP
