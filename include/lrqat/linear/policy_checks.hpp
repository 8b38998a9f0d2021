// SPDX-License-Identifier: MIT
// linear/policy_checks.hpp: which policies make a layer, and the sentence for those that do not.
#ifndef LRQAT_LINEAR_POLICY_CHECKS_HPP
#define LRQAT_LINEAR_POLICY_CHECKS_HPP

#include <lrqat/linear/select.hpp>

#include <cstddef>
#include <iterator>
#include <type_traits>

namespace lrqat::detail {

template <class... Ps>
consteval bool all_are_policies() {
  constexpr bool holds = (Policy<Ps> && ...);
  static_assert(holds,
                "QuantLinear<...>: one of the arguments is not a policy. A policy declares its "
                "kind, e.g. `using policy_kind = lrqat::kind::grid;`.");
  return holds;
}

/// An axis that no slot reads would be dropped without a word.
template <class Kind, class... Known>
inline constexpr bool is_one_of = (std::is_same_v<Kind, Known> || ...);
template <class P>
inline constexpr bool has_slot =
    is_one_of<typename kind_of<P>::type, kind::grid, kind::granularity, kind::storage,
              kind::adapter, kind::placement, kind::estimator, kind::initializer, kind::transform,
              kind::input, kind::trainable, kind::backend, kind::compute, kind::scale_format,
              kind::salient>;

template <class... Ps>
consteval bool kinds_are_known() {
  constexpr bool holds = (has_slot<Ps> && ...);
  static_assert(holds,
                "QuantLinear<...>: a policy's policy_kind is none that a linear layer has. The "
                "kinds are in core/policy.hpp, e.g. lrqat::kind::grid.");
  return holds;
}

template <class... Ps>
consteval bool kinds_are_single() {
  constexpr bool holds = ((count_of<typename kind_of<Ps>::type, Ps...> == 1) && ...);
  static_assert(holds,
                "QuantLinear<...>: two policies of one kind. Keep one of them; to quantize "
                "activations, write Input<UInt<8>>.");
  return holds;
}

/// True also where G is no grid: that has its own sentence.
template <class G>
consteval bool codes_fit_a_byte() {
  if constexpr (Grid<G>)
    return G::bits <= 8;
  else
    return true;
}

/// One concept a slot; the compiler adds what is missing to the sentence.
template <class S>
consteval bool slots_model_their_concepts() {
  if constexpr (std::is_same_v<typename S::grid, NoGrid>) {
    static_assert(!std::is_same_v<typename S::grid, NoGrid>,
                  "QuantLinear<...>: no grid. Say which levels a weight can take, e.g. Int<4>.");
    return false;
  } else {
    constexpr bool grid = Grid<typename S::grid>, granularity = Granularity<typename S::granularity>,
                   adapter = Adapter<typename S::adapter>,
                   placement = Placement<typename S::placement>,
                   estimator = Estimator<typename S::estimator>,
                   trainable = Trainable<typename S::trainable>,
                   transform = Transform<typename S::transform>,
                   input = InputQuantizer<typename S::input>,
                   salient = SalientWeights<typename S::salient>,
                   codes = std::is_same_v<typename S::compute, Compute<int8>>,
                   compute = !codes && Arithmetic<typename S::compute>;
    static_assert(Grid<typename S::grid>,
                  "QuantLinear<...>: the grid does not model lrqat::Grid (concept/grid.hpp); the "
                  "missing member follows.");
    constexpr bool codes_fit = codes_fit_a_byte<typename S::grid>();
    static_assert(codes_fit,
                  "QuantLinear<...>: the grid has codes of more than 8 bits, which no storage "
                  "holds.");
    static_assert(Granularity<typename S::granularity>,
                  "QuantLinear<...>: the granularity does not model lrqat::Granularity "
                  "(concept/granularity.hpp); the missing member follows.");
    static_assert(Adapter<typename S::adapter>,
                  "QuantLinear<...>: the adapter does not model lrqat::Adapter "
                  "(concept/adapter.hpp); the missing member follows.");
    static_assert(Placement<typename S::placement>,
                  "QuantLinear<...>: the placement does not model lrqat::Placement "
                  "(concept/placement.hpp); the missing member follows.");
    static_assert(Estimator<typename S::estimator>,
                  "QuantLinear<...>: the estimator does not model lrqat::Estimator "
                  "(concept/estimator.hpp); the missing member follows.");
    static_assert(Trainable<typename S::trainable>,
                  "QuantLinear<...>: the trainable set does not model lrqat::Trainable "
                  "(concept/trainable.hpp); the missing member follows.");
    static_assert(Transform<typename S::transform>,
                  "QuantLinear<...>: the transform does not model lrqat::Transform "
                  "(concept/transform.hpp); the missing member follows.");
    static_assert(InputQuantizer<typename S::input>,
                  "QuantLinear<...>: the input does not model lrqat::InputQuantizer "
                  "(concept/input_quantizer.hpp); the missing member follows.");
    static_assert(SalientWeights<typename S::salient>,
                  "QuantLinear<...>: the salient policy does not model lrqat::SalientWeights "
                  "(concept/salient_weights.hpp); the missing member follows.");
    static_assert(!codes,
                  "QuantLinear<...>: Compute<int8> multiplies codes, which only a merged layer has. "
                  "Train without it, then write layer.merge().in<Compute<int8>>().");
    static_assert(codes || Arithmetic<typename S::compute>,
                  "QuantLinear<...>: the compute policy does not model lrqat::Arithmetic "
                  "(concept/compute.hpp); the missing member follows.");
    return grid && codes_fit && granularity && adapter && placement && estimator && trainable &&
           transform && input && salient && compute;
  }
}

template <class S>
consteval bool policies_fit_the_grid() {
  using base = base_grid_of<typename S::grid>;
  constexpr bool storage = StorageOf<typename S::storage, base>;
  constexpr bool initializer = InitializerOf<typename S::initializer, base>;
  constexpr bool scale_format = ScaleFormatOf<typename S::scale_format, typename S::grid>;
  static_assert(StorageOf<typename S::storage, base>,
                "QuantLinear<...>: the storage does not model lrqat::StorageOf for this grid "
                "(concept/storage.hpp); the missing member follows.");
  static_assert(InitializerOf<typename S::initializer, base>,
                "QuantLinear<...>: the initializer does not model lrqat::InitializerOf for this "
                "grid (concept/initializer.hpp); the missing member follows.");
  static_assert(ScaleFormatOf<typename S::scale_format, typename S::grid>,
                "QuantLinear<...>: the scale format does not model lrqat::ScaleFormatOf for this "
                "grid (concept/scale_format.hpp); the missing member follows.");
  constexpr bool placement =
      !has_offset<typename S::grid> || OffsetPlacement<typename S::placement>;
  static_assert(placement,
                "QuantLinear<...>: this placement does not say what an offset does to it, which a "
                "grid with offsets needs (OffsetPlacement in concept/placement.hpp). Place the "
                "adapter InsideRounding or in the WeightDomain, or use a grid without offset.");
  return storage && initializer && scale_format && placement;
}

/// The number of the first condition that does not hold, or that of conditions.
template <std::size_t count>
consteval std::size_t first_broken(const bool (&holds)[count]) {
  std::size_t i = 0;
  while (i < count && holds[i]) ++i;
  return i;
}

/// What grids with unevenly spaced levels, or with none, cannot be combined with.
template <class S>
consteval bool grid_agrees() {
  using G = typename S::grid;
  constexpr bool adds_in_units = !S::adapter::keeps_base &&
                                 !std::is_same_v<typename S::adapter, NoAdapter> &&
                                 !S::placement::needs_reals &&
                                 !adds_after_rounding<typename S::placement>;
  constexpr bool holds[] = {
      !CodebookGrid<G> || !adds_in_units,
      grid_has_codes<G> || S::storage::template bound_to<base_grid_of<G>>::keeps_reals,
      grid_has_codes<G> || std::is_same_v<typename S::initializer, UnitScale>,
      !S::salient::keeps || (grid_has_codes<G> && !leaves_reals<G>)};
  constexpr std::size_t broken = first_broken(holds);
  static_assert(broken != 0,
                "QuantLinear<...>: the levels of this grid are a table, and adding in index units is "
                "meaningless; use WeightDomain. A branch beside the rounding is Parallel.");
  static_assert(broken != 1,
                "QuantLinear<...>: Unquantized has no codes, so this storage has nothing to keep. "
                "Leave the storage out or write Dense<float> or Dense<bf16>.");
  static_assert(broken != 2,
                "QuantLinear<...>: Unquantized has no scale to choose. Leave the initializer out.");
  static_assert(broken != 3,
                "QuantLinear<...>: salient weights are those that a grid of few bits would spoil, and "
                "this one does not round. Leave Salient out, or name a grid that does.");
  return broken == std::size(holds);
}

/// Combinations that would not work.
template <class S>
consteval bool policies_agree() {
  using G = typename S::grid;
  using P = typename S::placement;
  using T = typename S::trainable;
  using bound = typename S::storage::template bound_to<base_grid_of<G>>;
  constexpr bool keeps_base = S::adapter::keeps_base;
  constexpr bool moves_zero_point = G::has_zero_point && trains_zero_point<T>;
  constexpr bool learns = T::scale || T::bias || moves_zero_point || learns_clips<T> ||
                          (has_offset<G> && trains_offset<T>) ||
                          (T::adapter && !std::is_same_v<typename S::adapter, NoAdapter>);
  constexpr bool holds[] = {
      !keeps_base || std::is_same_v<typename S::storage, Dense<float>>,
      !keeps_base || !adds_after_rounding<P>,
      !P::needs_reals || bound::keeps_reals,
      !keeps_base || !ties_base<P>,
      !moves_zero_point || keeps_base || bound::keeps_reals,
      !needs_fractions<P> || (!keeps_base && keeps_fractions<bound>),
      !needs_fractions<P> || IntegerGrid<base_grid_of<G>>,
      learns,
      !std::is_void_v<typename S::backend>,
      !learns_clips<T> || (G::has_zero_point && (P::needs_reals && !ties_base<P>))};
  constexpr std::size_t broken = first_broken(holds);
  static_assert(broken != 0,
                "QuantLinear<...>: FullRank trains the base itself, in float32. Leave the storage "
                "out or write Dense<float>; to keep the base small, use LowRank<r>.");
  static_assert(broken != 1,
                "QuantLinear<...>: FullRank beside the rounding would never be quantized. Leave "
                "Parallel out, or use LowRank<r>.");
  static_assert(broken != 2,
                "QuantLinear<...>: WeightDomain keeps W0 in weight units, which this storage "
                "cannot hold. Write Dense<float> or Dense<bf16>, or place the adapter "
                "InsideRounding.");
  static_assert(broken != 3,
                "QuantLinear<...>: FullRank trains the base itself, so nothing frozen is left that "
                "TiedWeightDomain could move with the scale. Write WeightDomain.");
  static_assert(broken != 4,
                "QuantLinear<...>: a zero point that is trained would move a base that is kept as "
                "codes. Keep reals with Dense<float>, Dense<bf16> or FullRank, or leave the zero "
                "point frozen, as AdapterAndScale and ScaleOnly do.");
  static_assert(broken != 5,
                "QuantLinear<...>: BoundedRounding starts from the fractions of a frozen base, which "
                "this one has not. Write Dense<float>, or FixedPoint for up to 7 bits, and "
                "FullRankDelta in place of FullRank.");
  static_assert(broken != 6,
                "QuantLinear<...>: BoundedRounding chooses between integers, which the levels of "
                "this grid are not. Place the adapter InsideRounding.");
  static_assert(broken != 7,
                "QuantLinear<...>: nothing is left to train. Add an adapter, e.g. LowRank<32>, or "
                "let the scale learn with ScaleOnly.");
  static_assert(broken != 8,
                "QuantLinear<...>: this backend computes in float32 alone. Leave Compute<bf16> out, "
                "or use the backend Cpu.");
  static_assert(broken != 9,
                "QuantLinear<...>: learned clips are parts of a weight's range in weight units and "
                "set a scale and a zero point. Use a grid with zero points, UInt<b>, in the "
                "WeightDomain, or let the scale learn.");
  return broken == std::size(holds);
}

/// Combinations that would work and mean nothing.
template <class S>
consteval bool policies_make_sense() {
  using G = typename S::grid;
  using P = typename S::placement;
  using T = typename S::trainable;
  constexpr bool adds_in_steps = !P::needs_reals && !adds_after_rounding<P> &&
                                 !std::is_same_v<typename S::adapter, NoAdapter>;
  constexpr bool holds[] = {
      !adds_in_steps || G::code_max - G::code_min >= 3,
      !requires { requires S::estimator::needs_even_levels; } || EvenGrid<G>,
      !measures_scale<T> || P::needs_reals,
      !measures_scale<T> || !T::scale,
      !learns_clips<T> || !(T::scale || measures_scale<T> || trains_zero_point<T>)};
  constexpr std::size_t broken = first_broken(holds);
  static_assert(broken != 0,
                "QuantLinear<...>: InsideRounding adds the adapter in steps of the grid, and two or "
                "three levels have none to speak of. Place the adapter in the WeightDomain.");
  static_assert(broken != 1,
                "QuantLinear<...>: Trust measures errors in steps of the grid, which this grid has "
                "not. Where its levels are 1 apart, say so in the grid: static constexpr bool "
                "levels_are_even = true.");
  static_assert(broken != 2,
                "QuantLinear<...>: a scale is measured from a weight in weight units, which "
                "InsideRounding and Parallel do not keep. Place the adapter in the WeightDomain, or "
                "let the scale learn.");
  static_assert(broken != 3,
                "QuantLinear<...>: a scale is measured or learned, not both. Leave one of "
                "measures_scale and scale out of the trainable set.");
  static_assert(broken != 4,
                "QuantLinear<...>: clips stand in for scale and zero point, which follow from them. "
                "Leave scale, zero_point and measures_scale out of the trainable set.");
  return broken == std::size(holds);
}

/// Stops at the first group of checks that fails, so that one mistake gives one sentence.
template <class... Ps>
consteval bool valid_policies() {
  if constexpr (all_are_policies<Ps...>())
    if constexpr (kinds_are_known<Ps...>())
      if constexpr (kinds_are_single<Ps...>())
        if constexpr (slots_model_their_concepts<slots<Ps...>>())
          if constexpr (policies_fit_the_grid<slots<Ps...>>())
            if constexpr (grid_agrees<slots<Ps...>>())
              if constexpr (policies_agree<slots<Ps...>>())
                return policies_make_sense<slots<Ps...>>();
  return false;
}

}  // namespace lrqat::detail

#endif  // LRQAT_LINEAR_POLICY_CHECKS_HPP
