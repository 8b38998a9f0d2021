// SPDX-License-Identifier: MIT
// method/fairy.hpp: complex weights that are fourth roots of unity.
#ifndef LRQAT_METHOD_FAIRY_HPP
#define LRQAT_METHOD_FAIRY_HPP

#include <lrqat/granularity/per_tensor.hpp>
#include <lrqat/initializer/widely_linear.hpp>
#include <lrqat/input/complex_input.hpp>
#include <lrqat/input/no_input.hpp>
#include <lrqat/linear/complex_linear.hpp>
#include <lrqat/parameterization/complex_weight.hpp>

#include <cstddef>

namespace lrqat::method {

/// iFairy's linear layer (arXiv 2508.05571): y = W conj(x), W of 1, -1, i and -i on two scales for
/// the tensor, 2 bits a complex weight; the parts of the activations in 8 bits a token. The complex
/// network around it (norms, attention, its real head) is not here.
template <class In = ComplexInput<SymmetricInput<8>>>
using IFairy = ComplexLinear<ComplexWeight<1, PerTensor, ConjugateForm>, In>;

/// Fairy2i's (Wang et al., arXiv 2512.02901): a layer of a real model as U z + V conj(z), so that
/// training starts from that model. One stage takes one bit a real weight, two stages two:
///
///   auto layer = widely_linear_layer<method::Fairy2i<2>>(weight);
///
/// U and V are trained here, the real weight itself in the published code: to plain gradient
/// descent that is twice the rate, to AdamW another basis. Scales have iFairy's floor of 1e-5, 1e-6
/// there.
template <std::size_t Stages, class Gran = PerTensor, class In = NoInput>
using Fairy2i = ComplexLinear<ComplexWeight<Stages, Gran, DirectForm, ConjugateForm>, In>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_FAIRY_HPP
