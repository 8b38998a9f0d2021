// SPDX-License-Identifier: MIT
// kernel/hadamard_order.hpp: Hadamard matrices for lengths that are no power of two.
#ifndef LRQAT_KERNEL_HADAMARD_ORDER_HPP
#define LRQAT_KERNEL_HADAMARD_ORDER_HPP

#include <bit>
#include <cstddef>

namespace lrqat::kernel {

/// H = P (x) S, of size() rows: P of one of Paley's constructions, or 1; S Sylvester's, a power of
/// two. Entries are +-1 and H H^T = size() I. H is symmetric where `paley` is 1.
struct HadamardOrder {
  std::size_t paley = 1, sylvester = 1;
  constexpr std::size_t size() const { return paley * sylvester; }
  bool operator==(const HadamardOrder&) const = default;
};

/// The largest P; a table of its signs fits a first-level cache.
inline constexpr std::size_t largest_paley = 256;

namespace detail {

constexpr bool is_prime(std::size_t n) {
  for (std::size_t d = 2; d * d <= n; ++d)
    if (n % d == 0) return false;
  return n >= 2;
}

/// Whether n = q + 1 with a prime q, q % 4 = 3: Paley's first construction.
constexpr bool is_paley_one(std::size_t n) { return n % 4 == 0 && is_prime(n - 1); }
/// Whether n = 2 (q + 1) with a prime q, q % 4 = 1: his second.
constexpr bool is_paley_two(std::size_t n) { return n % 8 == 4 && is_prime(n / 2 - 1); }

/// Whether a is a square modulo the prime q: 1 or -1, and 0 for 0 (Euler's criterion).
constexpr int legendre(std::size_t a, std::size_t q) {
  std::size_t power = 1, square = a % q;
  for (std::size_t e = (q - 1) / 2; e > 0; e /= 2) {
    if (e % 2 == 1) power = power * square % q;
    square = square * square % q;
  }
  return power == q - 1 ? -1 : static_cast<int>(power);
}

constexpr int paley_entry(std::size_t n, std::size_t i, std::size_t j) {
  if (n == 1) return 1;
  if (is_paley_one(n)) {  // I + [0 1; -1 Q], Q(i, j) = legendre(i - j), skew
    if (i == j || i == 0) return 1;
    return j == 0 ? -1 : legendre(n - 1 + i - j, n - 1);
  }
  // C (x) [1 1; 1 -1] + I (x) [1 -1; -1 -1], C = [0 1; 1 Q], symmetric
  const std::size_t q = n / 2 - 1, row = i / 2, col = j / 2;
  const bool low_right = i % 2 == 1 && j % 2 == 1;
  if (row == col) return i % 2 == 0 && j % 2 == 0 ? 1 : -1;
  const int c = row == 0 || col == 0 ? 1 : legendre(q + row - col, q);
  return low_right ? -c : c;
}

}  // namespace detail

/// H(i, j), each index below order.size().
constexpr int hadamard_entry(HadamardOrder order, std::size_t i, std::size_t j) {
  const std::size_t s = order.sylvester;
  const int sign = std::popcount((i % s) & (j % s)) % 2 == 0 ? 1 : -1;
  return sign * detail::paley_entry(order.paley, i / s, j / s);
}

/// The largest order known here that divides `in`, in >= 1: 768 = 12 x 64, 14336 = 28 x 512. Orders
/// whose P would need a field of prime powers, or Williamson's construction, are not known: 172 has
/// blocks of 4, 11008 of 256.
constexpr HadamardOrder hadamard_order(std::size_t in) {
  const std::size_t power = in & (0 - in), odd = in / power;
  for (std::size_t d = odd; d > 1; --d) {
    if (odd % d != 0) continue;
    for (std::size_t p = 4; p <= power && d * p <= largest_paley; p *= 2)
      if (detail::is_paley_one(d * p) || detail::is_paley_two(d * p)) return {d * p, power / p};
  }
  return {1, power};
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_HADAMARD_ORDER_HPP
