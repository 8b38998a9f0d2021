// SPDX-License-Identifier: MIT
// examples/lab/scheme_names.hpp: names of schemes, read and written.
#ifndef LRQAT_LAB_SCHEME_NAMES_HPP
#define LRQAT_LAB_SCHEME_NAMES_HPP

#include "joined.hpp"
#include "scheme.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/core/quant_options.hpp>  // ScaleType

#include <algorithm>
#include <charconv>
#include <iterator>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lrqat::lab {

namespace detail {

inline constexpr std::pair<RangeSetter, std::string_view> range_names[] = {
    {RangeSetter::min_max, "minmax"}, {RangeSetter::full, "full"}, {RangeSetter::l2, "l2"},
    {RangeSetter::l2_4, "l2.4"},      {RangeSetter::l3, "l3"},     {RangeSetter::l3_5, "l3.5"},
    {RangeSetter::l4, "l4"},          {RangeSetter::l5, "l5"}};

inline constexpr std::size_t largest_number = 65536;  // of a group size or a rank

inline std::vector<std::string_view> split(std::string_view name) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t dash = name.find('-');
    parts.push_back(name.substr(0, dash));
    if (dash == std::string_view::npos) return parts;
    name.remove_prefix(dash + 1);
  }
}

/// A whole text that is a number of 1 ... largest_number.
inline std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || value == 0 || value > largest_number || text.front() == '0') return std::nullopt;
  return value;
}

/// Reads the parts from left to right; what is wrong with them ends up in `mistake`.
class SchemeReader {
 public:
  explicit SchemeReader(std::string_view name) : parts_(split(name)) {}

  std::optional<Scheme> read() {
    if (parts_.size() == 1 && parts_[0] == "fp32") return Scheme{};
    if (parts_.size() == 2 && parts_[0] == "fp32" && parts_[1] == "tuned")
      return Scheme{.method = Method::fp32_tuned};
    if (read_bits() && read_sharing() && read_method() && read_rank() && read_range() &&
        nothing_left())
      return scheme_;
    return std::nullopt;
  }

  const std::string& mistake() const { return mistake_; }

 private:
  std::string_view next() const {
    return at_ < parts_.size() ? parts_[at_] : std::string_view("(nothing)");
  }
  template <class... Parts>
  bool wrong(const Parts&... parts) {
    mistake_ = joined(parts...);
    return false;
  }

  bool read_bits() {
    const std::string_view part = next();
    const bool has_letter = !part.empty() && (part[0] == 'w' || part[0] == 'u');
    const std::size_t end = std::min(part.find_first_of("akr"), part.size());
    const std::optional<std::size_t> bits =
        has_letter ? number(part.substr(1, end - 1)) : std::optional<std::size_t>();
    if (!bits || *bits < 2 || *bits > 8)
      return wrong("it begins with w2 ... w8 (signed) or u2 ... u8 (with a zero point), not '",
                   part, "'");
    scheme_.bits = static_cast<int>(*bits);
    scheme_.zero_point = part[0] == 'u';
    ++at_;
    return read_activations(part.substr(end));
  }

  /// [a4|a8][kv4|kv8][r], which may be nothing at all.
  bool read_activations(std::string_view part) {
    const std::string_view all = part;
    const auto take = [&part](std::string_view text) {
      const bool there = part.starts_with(text);
      if (there) part.remove_prefix(text.size());
      return there;
    };
    scheme_.activation_bits = take("a4") ? 4 : take("a8") ? 8 : 0;
    scheme_.cache_bits = take("kv4") ? 4 : take("kv8") ? 8 : scheme_.activation_bits;
    scheme_.real_zero_points = scheme_.quantizes_activations() && take("r");
    return part.empty() ||
           wrong("after the bits of the weights come those of activations, a4 or a8, and of keys "
                 "and values where they are others, kv4 or kv8, then r for real zero points, "
                 "such as w4a8kv4, not '",
                 all, "'");
  }

  bool read_sharing() {
    std::string_view part = next();
    ++at_;
    if (part == "pt") {
      scheme_.sharing = Sharing::tensor;
      return true;
    }
    if (part == "pc") return true;
    if (part.size() > 1 && part.back() == 'c') {
      scheme_.channel_where_odd = true;
      part.remove_suffix(1);
    }
    const auto size = part.starts_with('g') ? number(part.substr(1)) : std::optional<std::size_t>();
    if (!size)
      return wrong(
          "after the bits comes pt (one scale for a tensor), pc (for each output) or g and ",
          "the size of a group, such as g32, not '", part, "'");
    scheme_.sharing = Sharing::group;
    scheme_.group_size = *size;
    return true;
  }

  bool read_method() {
    const std::string_view part = next();
    const std::string fixed = joined("q", scheme_.bits, ".", 8 - scheme_.bits);
    const std::string packed = joined("int", scheme_.bits);
    ++at_;
    const auto is = [&](Method method, Base base = Base::fixed_point) {
      scheme_.method = method;
      scheme_.base = base;
      return true;
    };
    if (part == "rtn") return is(Method::rtn);
    if (part == "peqa") return is(Method::peqa);
    if (part == "lsq") return is(Method::full_qat, Base::fp32);
    if (part == "bf16") return is(Method::lr_qat, Base::bf16);
    if (part == "fp32") return is(Method::lr_qat, Base::fp32);
    if (part == fixed) return is(Method::lr_qat);
    if (part == packed) return is(Method::lr_qat, Base::packed);
    if (part == "wd") {
      scheme_.weight_domain = true;
      return is(Method::lr_qat, Base::fp32);
    }
    return wrong(
        "after the sharing comes a method, rtn, peqa or lsq, or the storage of LR-QAT's base, ",
        fixed, ", bf16, fp32, ", packed, " or wd for ", scheme_.bits, " bits, not '", part, "'");
  }

  bool read_rank() {
    if (at_ == parts_.size() || !next().starts_with('r')) return true;
    const std::optional<std::size_t> rank = number(next().substr(1));
    if (!rank) return wrong("a rank is r and 1 ... 65536, not '", next(), "'");
    if (scheme_.method != Method::lr_qat)
      return wrong("only LR-QAT has a rank: leave out '", next(), "'");
    scheme_.rank = *rank;
    ++at_;
    return true;
  }

  bool read_range() {
    for (const auto& [range, text] : range_names)
      if (at_ < parts_.size() && next() == text) {
        scheme_.range = range;
        ++at_;
        return true;
      }
    return true;
  }

  bool nothing_left() {
    return at_ == parts_.size() ||
           wrong("'", next(), "' at its end is neither a rank such as r8 nor one of the ranges ",
                 "minmax, full, l2, l2.4, l3, l3.5, l4, l5");
  }

  std::vector<std::string_view> parts_;
  std::size_t at_ = 0;
  Scheme scheme_{};
  std::string mistake_;
};

/// Characters to insert, remove or replace to make one text of the other (Levenshtein).
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] != b[j] ? 1 : 0);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

/// What an unknown name is compared with.
inline std::vector<std::string> usual_names() {
  std::vector<std::string> names{"fp32", "fp32-tuned"};
  for (int bits = 2; bits <= 8; ++bits) {
    const std::string bases[] = {joined("q", bits, ".", 8 - bits), "bf16", "fp32",
                                 joined("int", bits), "wd"};
    for (const char grid : {'w', 'u'})
      for (const char* sharing : {"pc", "pt", "g32", "g64", "g128"}) {
        const std::string start = joined(grid, bits, '-', sharing, '-');
        for (const char* method : {"rtn", "peqa", "lsq"}) names.push_back(joined(start, method));
        for (const char* range : {"minmax", "full", "l4"})
          names.push_back(joined(start, "rtn-", range));
        for (const std::string& base : bases)
          for (const char* rank : {"-r8", "-r16", "-r32"})
            names.push_back(joined(start, base, rank));
      }
  }
  for (const char* activations : {"a8", "a8r", "a8kv4", "a8kv4r", "a4", "a4r", "kv8", "kv4"})
    for (const char* method : {"rtn", "peqa", "lsq", "q4.4-r8", "int4-r8"})
      names.push_back(joined("w4", activations, "-pc-", method));
  return names;
}

}  // namespace detail

/// The names that `name` is likeliest to be meant for, nearest first (by edit distance).
inline std::vector<std::string> near_names(std::string_view name, std::size_t count) {
  std::vector<std::string> names = detail::usual_names();
  std::vector<std::pair<std::size_t, std::size_t>> nearness;  // distance, place in names
  for (std::size_t i = 0; i < names.size(); ++i)
    nearness.emplace_back(detail::edit_distance(name.substr(0, 64), names[i]), i);
  std::sort(nearness.begin(), nearness.end());
  std::vector<std::string> nearest;
  for (std::size_t i = 0; i < std::min(count, names.size()); ++i)
    nearest.push_back(std::move(names[nearness[i].second]));
  return nearest;
}

/// The scheme that a name stands for. @throws Error that names the part that is wrong and the
/// nearest names
inline Scheme parse_scheme(std::string_view name) {
  expects(name.size() <= 64, "a scheme's name has at most 64 characters, this one has ",
          name.size());
  detail::SchemeReader reader(name);
  if (const std::optional<Scheme> scheme = reader.read()) return *scheme;
  std::string near;
  for (const std::string& each : near_names(name, 4))
    near += joined(near.empty() ? "" : ", ", each);
  fail("unknown scheme '", name, "': ", reader.mistake(), ". Near names: ", near,
       " (all of them: lrqat-lab schemes)");
}

inline const char* name_of(ComputeType compute) {
  return compute == ComputeType::bf16 ? "bf16" : "float";
}

inline const char* name_of(ScaleType scales) {
  return scales == ScaleType::fp16 ? "fp16" : "float";
}

/// Its name; parse_scheme(name_of(s)) == s.
inline std::string name_of(const Scheme& scheme) {
  if (scheme.method == Method::fp32) return "fp32";
  if (scheme.method == Method::fp32_tuned) return "fp32-tuned";
  std::string name;
  const auto append = [&name](const auto&... parts) { (lrqat::detail::append(name, parts), ...); };
  append(scheme.zero_point ? 'u' : 'w', scheme.bits);
  if (scheme.activation_bits != 0) append('a', scheme.activation_bits);
  if (scheme.cache_bits != scheme.activation_bits) append("kv", scheme.cache_bits);
  if (scheme.real_zero_points) append('r');
  if (scheme.sharing == Sharing::tensor) append("-pt");
  if (scheme.sharing == Sharing::channel) append("-pc");
  if (scheme.sharing == Sharing::group) append("-g", scheme.group_size);
  if (scheme.channel_where_odd) append('c');
  switch (scheme.method) {
    case Method::rtn:
      append("-rtn");
      break;
    case Method::peqa:
      append("-peqa");
      break;
    case Method::full_qat:
      append("-lsq");
      break;
    default:
      if (scheme.weight_domain)
        append("-wd");
      else if (scheme.base == Base::fixed_point)
        append("-q", scheme.bits, '.', 8 - scheme.bits);
      else if (scheme.base == Base::packed)
        append("-int", scheme.bits);
      else
        append(scheme.base == Base::bf16 ? "-bf16" : "-fp32");
  }
  if (scheme.rank != 0) append("-r", scheme.rank);
  for (const auto& [range, text] : detail::range_names)
    if (range == scheme.range && range != RangeSetter::l2) append('-', text);
  return name;
}

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_SCHEME_NAMES_HPP
