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
#include <lrqat/concept/salient_weights.hpp>
#include <lrqat/concept/scale_format.hpp>
#include <lrqat/concept/storage.hpp>
#include <lrqat/concept/trainable.hpp>
#include <lrqat/concept/transform.hpp>
#include <lrqat/core/policy.hpp>
#include <lrqat/estimator/straight_through.hpp>
#include <lrqat/granularity/per_channel.hpp>
#include <lrqat/initializer/min_max.hpp>
#include <lrqat/initializer/unit_scale.hpp>
#include <lrqat/input/no_input.hpp>
#include <lrqat/input/transformed_input.hpp>
#include <lrqat/placement/inside_rounding.hpp>
#include <lrqat/salient/no_salient.hpp>
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

/// Where every real is a level there is nothing to encode and no scale to choose.
template <class G>
inline constexpr bool grid_has_codes = !requires { requires G::bits == 0; };
template <class G, class A, class P>
struct default_base : default_storage<A, P> {};
template <class G, class A, class P>
  requires(!grid_has_codes<G>)
struct default_base<G, A, P> {
  using type = Dense<float>;
};
template <class G>
using default_initializer = std::conditional_t<grid_has_codes<G>, MinMax, UnitScale>;

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
  using storage = get<kind::storage, typename default_base<grid, adapter, placement>::type>;
  using estimator = get<kind::estimator, StraightThrough>;
  using initializer = get<kind::initializer, default_initializer<grid>>;
  using trainable = get<kind::trainable, AdapterAndScale>;
  using transform = get<kind::transform, Identity>;
  using input = typename input_behind<transform, get<kind::input, NoInput>>::type;
  using compute = get<kind::compute, Compute<float>>;
  using scale_format = get<kind::scale_format, Float32Scale>;
  using salient = get<kind::salient, NoSalient>;
  using backend = typename backend_in<get<kind::backend, Cpu>, compute>::type;
};

}  // namespace lrqat::detail

#endif  // LRQAT_LINEAR_SELECT_HPP
