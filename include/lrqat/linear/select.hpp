// SPDX-License-Identifier: MIT
// linear/select.hpp: from a bag of policies in any order to one canonical layer type.
#ifndef LRQAT_LINEAR_SELECT_HPP
#define LRQAT_LINEAR_SELECT_HPP

#include <lrqat/adapter/full_rank.hpp>
#include <lrqat/adapter/no_adapter.hpp>
#include <lrqat/backend/cpu.hpp>
#include <lrqat/compute/compute.hpp>
#include <lrqat/concept/adapter.hpp>
#include <lrqat/concept/backend.hpp>
#include <lrqat/concept/compute.hpp>
#include <lrqat/concept/estimator.hpp>
#include <lrqat/concept/granularity.hpp>
#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/initializer.hpp>
#include <lrqat/concept/input_quantizer.hpp>
#include <lrqat/concept/placement.hpp>
#include <lrqat/concept/scale_format.hpp>
#include <lrqat/concept/storage.hpp>
#include <lrqat/concept/trainable.hpp>
#include <lrqat/concept/transform.hpp>
#include <lrqat/core/policy.hpp>
#include <lrqat/estimator/straight_through.hpp>
#include <lrqat/granularity/per_channel.hpp>
#include <lrqat/initializer/min_max.hpp>
#include <lrqat/input/no_input.hpp>
#include <lrqat/input/transformed_input.hpp>
#include <lrqat/placement/inside_rounding.hpp>
#include <lrqat/scale_format/float32_scale.hpp>
#include <lrqat/storage/dense.hpp>
#include <lrqat/storage/fixed_point.hpp>
#include <lrqat/storage/packed.hpp>
#include <lrqat/trainable/trainable_set.hpp>
#include <lrqat/transform/identity.hpp>

#include <type_traits>
#include <utility>

namespace lrqat::detail {

template <class P>
struct kind_of {
  using type = void;
};
template <Policy P>
struct kind_of<P> {
  using type = typename P::policy_kind;
};

template <class Kind, class P, std::size_t Index>
struct entry {};
template <class Indices, class... Ps>
struct bag;
template <std::size_t... Index, class... Ps>
struct bag<std::index_sequence<Index...>, Ps...>
    : entry<typename kind_of<Ps>::type, Ps, Index>... {};

template <class T>
struct identity {
  using type = T;
};
template <class Kind, class Default, class P, std::size_t Index>
identity<P> pick(const entry<Kind, P, Index>*);
template <class Kind, class Default>
identity<Default> pick(const void*);

template <class Kind, class... Ps>
inline constexpr int count_of = (0 + ... + int(PolicyOf<Ps, Kind>));

/// What is left out of the bag. A base follows from what works on it: integers suffice where
/// nothing is added to it (PEQA, a parallel branch), reals are needed in the weight domain,
/// Qb.(8-b) is LR-QAT's choice.
struct NoGrid {};
template <class A, class P>
struct default_storage {
  using type = FixedPoint;
};
template <class P>
struct default_storage<NoAdapter, P> {
  using type = Packed;
};
template <class A, class P>
  requires(adds_after_rounding<P> && requires { requires !A::keeps_base; })
struct default_storage<A, P> {
  using type = Packed;
};
template <class P>
  requires adds_after_rounding<P>
struct default_storage<NoAdapter, P> {
  using type = Packed;
};
template <class A, class P>
  requires requires { requires P::needs_reals || A::keeps_base; }
struct default_storage<A, P> {
  using type = Dense<float>;
};
template <class P>
  requires requires { requires P::needs_reals; }
struct default_storage<NoAdapter, P> {
  using type = Dense<float>;
};

/// The backend with its arithmetic; void where it has no other than float32.
template <class B, class C>
struct backend_in {
  using type = std::conditional_t<std::is_same_v<C, Compute<float>>, B, void>;
};
template <class B, class C>
  requires requires { typename B::template in<C>; }
struct backend_in<B, C> {
  using type = typename B::template in<C>;
};

template <class... Ps>
struct slots {
  using all = const bag<std::index_sequence_for<Ps...>, Ps...>*;
  template <class Kind, class Default>
  using get = typename decltype(detail::pick<Kind, Default>(all{}))::type;

  using grid = get<kind::grid, NoGrid>;
  using granularity = get<kind::granularity, PerChannel>;
  using adapter = get<kind::adapter, NoAdapter>;
  using placement = get<kind::placement, InsideRounding>;
  using storage = get<kind::storage, typename default_storage<adapter, placement>::type>;
  using estimator = get<kind::estimator, StraightThrough>;
  using initializer = get<kind::initializer, MinMax>;
  using trainable = get<kind::trainable, AdapterAndScale>;
  using transform = get<kind::transform, Identity>;
  using input = typename input_behind<transform, get<kind::input, NoInput>>::type;
  using compute = get<kind::compute, Compute<float>>;
  using scale_format = get<kind::scale_format, Float32Scale>;
  using backend = typename backend_in<get<kind::backend, Cpu>, compute>::type;
};

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
              kind::input, kind::trainable, kind::backend, kind::compute, kind::scale_format>;

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
    static_assert(!codes,
                  "QuantLinear<...>: Compute<int8> multiplies codes, which only a merged layer has. "
                  "Train without it, then write layer.merge().in<Compute<int8>>().");
    static_assert(codes || Arithmetic<typename S::compute>,
                  "QuantLinear<...>: the compute policy does not model lrqat::Arithmetic "
                  "(concept/compute.hpp); the missing member follows.");
    return grid && codes_fit && granularity && adapter && placement && estimator && trainable &&
           transform && input && compute;
  }
}

template <class S>
consteval bool policies_fit_the_grid() {
  constexpr bool storage = StorageOf<typename S::storage, typename S::grid>;
  constexpr bool initializer = InitializerOf<typename S::initializer, typename S::grid>;
  constexpr bool scale_format = ScaleFormatOf<typename S::scale_format, typename S::grid>;
  static_assert(StorageOf<typename S::storage, typename S::grid>,
                "QuantLinear<...>: the storage does not model lrqat::StorageOf for this grid "
                "(concept/storage.hpp); the missing member follows.");
  static_assert(InitializerOf<typename S::initializer, typename S::grid>,
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

template <class S>
consteval bool policies_agree() {
  using bound = typename S::storage::template bound_to<typename S::grid>;
  constexpr bool in_domain = !S::placement::needs_reals || bound::keeps_reals;
  constexpr bool base_trains =
      !S::adapter::keeps_base || std::is_same_v<typename S::storage, Dense<float>>;
  constexpr bool rounds = !S::adapter::keeps_base || !adds_after_rounding<typename S::placement>;
  constexpr bool tied = S::adapter::keeps_base && ties_base<typename S::placement>;
  constexpr bool zero_point_moves =
      S::grid::has_zero_point && trains_zero_point<typename S::trainable>;
  constexpr bool base_stays =
      !zero_point_moves || S::adapter::keeps_base || bound::keeps_reals;
  constexpr bool learns =
      S::trainable::scale || S::trainable::bias || zero_point_moves ||
      (has_offset<typename S::grid> && trains_offset<typename S::trainable>) ||
      (S::trainable::adapter && !std::is_same_v<typename S::adapter, NoAdapter>);
  static_assert(base_trains,
                "QuantLinear<...>: FullRank trains the base itself, in float32. Leave the storage "
                "out or write Dense<float>; to keep the base small, use LowRank<r>.");
  static_assert(!base_trains || rounds,
                "QuantLinear<...>: FullRank beside the rounding would never be quantized. Leave "
                "Parallel out, or use LowRank<r>.");
  static_assert(!base_trains || !rounds || in_domain,
                "QuantLinear<...>: WeightDomain keeps W0 in weight units, which this storage "
                "cannot hold. Write Dense<float> or Dense<bf16>, or place the adapter "
                "InsideRounding.");
  static_assert(!(base_trains && rounds && in_domain) || !tied,
                "QuantLinear<...>: FullRank trains the base itself, so nothing frozen is left that "
                "TiedWeightDomain could move with the scale. Write WeightDomain.");
  static_assert(!(base_trains && rounds && in_domain && !tied) || base_stays,
                "QuantLinear<...>: a zero point that is trained would move a base that is kept as "
                "codes. Keep reals with Dense<float>, Dense<bf16> or FullRank, or leave the zero "
                "point frozen, as AdapterAndScale and ScaleOnly do.");
  static_assert(!(base_trains && rounds && in_domain && !tied && base_stays) || learns,
                "QuantLinear<...>: nothing is left to train. Add an adapter, e.g. LowRank<32>, or "
                "let the scale learn with ScaleOnly.");
  constexpr bool computes = !std::is_void_v<typename S::backend>;
  constexpr bool agree = base_trains && rounds && in_domain && !tied && base_stays && learns;
  static_assert(!agree || computes,
                "QuantLinear<...>: this backend computes in float32 alone. Leave Compute<bf16> out, "
                "or use the backend Cpu.");
  return agree && computes;
}

/// What compiles but has no meaning.
template <class S>
consteval bool policies_make_sense() {
  constexpr bool in_steps = !S::placement::needs_reals && !adds_after_rounding<typename S::placement>;
  constexpr bool has_steps = !in_steps || std::is_same_v<typename S::adapter, NoAdapter> ||
                             S::grid::code_max - S::grid::code_min >= 3;
  constexpr bool has_step = !requires { requires S::estimator::needs_even_levels; } ||
                            EvenGrid<typename S::grid>;
  constexpr bool measurable = !measures_scale<typename S::trainable> || S::placement::needs_reals;
  constexpr bool either = !measures_scale<typename S::trainable> || !S::trainable::scale;
  static_assert(has_steps,
                "QuantLinear<...>: InsideRounding adds the adapter in steps of the grid, and two or "
                "three levels have none to speak of. Place the adapter in the WeightDomain.");
  static_assert(has_step,
                "QuantLinear<...>: Trust measures errors in steps of the grid, which this grid has "
                "not. Where its levels are 1 apart, say so in the grid: static constexpr bool "
                "levels_are_even = true.");
  static_assert(measurable,
                "QuantLinear<...>: a scale is measured from a weight in weight units, which "
                "InsideRounding and Parallel do not keep. Place the adapter in the WeightDomain, or "
                "let the scale learn.");
  static_assert(either,
                "QuantLinear<...>: a scale is measured or learned, not both. Leave one of "
                "measures_scale and scale out of the trainable set.");
  return has_steps && has_step && measurable && either;
}

/// Stops at the first group of checks that fails, so that one mistake gives one sentence.
template <class... Ps>
consteval bool valid_policies() {
  if constexpr (all_are_policies<Ps...>())
    if constexpr (kinds_are_known<Ps...>())
      if constexpr (kinds_are_single<Ps...>())
        if constexpr (slots_model_their_concepts<slots<Ps...>>())
          if constexpr (policies_fit_the_grid<slots<Ps...>>())
            if constexpr (policies_agree<slots<Ps...>>())
              return policies_make_sense<slots<Ps...>>();
  return false;
}

}  // namespace lrqat::detail

#endif  // LRQAT_LINEAR_SELECT_HPP
