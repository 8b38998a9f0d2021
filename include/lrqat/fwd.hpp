// SPDX-License-Identifier: MIT
// fwd.hpp: the names of the library without their definitions.
#ifndef LRQAT_FWD_HPP
#define LRQAT_FWD_HPP

#include <cstddef>

namespace lrqat {

struct Shape;
struct Tile;
template <class>
struct MatrixView;
struct QuantOptions;
struct QParams;
struct bf16;
struct half;

template <int Bits>
struct Int;
template <int Bits>
struct UInt;
template <int Bits>
struct MidRise;
template <int Bits>
struct SymmetricInt;
struct Ternary;
// Offset<G> is constrained: include grid/offset.hpp.
template <int High, int Low>
struct Nested;
template <int High, int... Lows>
struct BitWidths;
struct Nf4;
struct Nf2;
template <class Table>
struct Codebook;
struct Unquantized;
struct Complex4;

struct PerTensor;
struct PerChannel;
template <std::size_t GroupSize>
struct PerGroup;

template <class T>
struct Dense;
struct FixedPoint;
struct Packed;

struct NoAdapter;
template <std::size_t Rank>
struct LowRank;
template <std::size_t Rank>
struct SparseHadamard;
template <std::size_t MaxRank>
struct GatedLowRank;
struct FullRank;
struct FullRankDelta;
struct ChannelScales;

struct InsideRounding;
struct BoundedRounding;
struct WeightDomain;
struct TiedWeightDomain;
struct Parallel;

struct StraightThrough;
struct StraightThroughClipFirst;
struct StraightThroughUnclipped;
struct Lsq;
template <int Numerator, int Denominator>
struct Trust;

struct FullRange;
struct MinMax;
struct NoClip;
template <int Numerator, int Denominator>
struct LpSearch;
struct GaussianRms;
struct MeanMagnitude;
struct TwnScale;

struct Identity;
template <std::size_t Block>
struct Hadamard;
struct UnitScale;

struct NoInput;
template <class Grid, class Sharing, class ZeroPoint>
struct Input;
template <class Grid, class Initializer, class Estimator>
struct DynamicInput;

struct AdapterAndScale;
struct AdapterAndQParams;
struct ScaleOnly;
struct QParamsOnly;
struct AdapterOnly;
struct Everything;
struct MeasuredScale;
struct ClipsOnly;
struct AdapterAndClips;

template <class T>
struct Compute;
struct Cpu;
struct CpuInt8;
struct Reference;

struct Float32Scale;
struct Fp16Scale;
struct PowerOfTwoScale;
struct AnyScale;

class WeightSet;
struct NoSalient;
template <class Grid>
struct Salient;

class AnyLinear;
struct AnyInput;
class QuantizedInputLinear;
struct TokenAdaptive;
class TokenAdaptiveLinear;
template <class Widths, class... Policies>
class NestedLinear;

}  // namespace lrqat

#endif  // LRQAT_FWD_HPP
