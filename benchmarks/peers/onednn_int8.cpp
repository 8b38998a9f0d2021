// SPDX-License-Identifier: MIT
// benchmarks/peers/onednn_int8.cpp: oneDNN's product of unsigned and signed bytes, alone and in a layer.
#include "peers.hpp"

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/input/input.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <dnnl.hpp>
#if defined(_OPENMP)
#include <omp.h>
#endif

#include <cstdint>
#include <cstring>
#include <span>
#include <unordered_map>

namespace {

using namespace lrqat;
using dnnl::memory;
using benchmarks::LinearSizes;
using Type = memory::data_type;

/// y (tokens, out) = x (tokens, in) in u8 times a weight in s8 that is brought once into whatever
/// order oneDNN likes best.
class Product {
 public:
  Product(const LinearSizes& sizes, int threads, Type result) {
#if defined(_OPENMP)
    omp_set_num_threads(threads);
#else
    static_cast<void>(threads);
#endif
    const auto out = static_cast<memory::dim>(sizes.out), in = static_cast<memory::dim>(sizes.in),
               tokens = static_cast<memory::dim>(sizes.tokens);
    x_ = memory({{tokens, in}, Type::u8, memory::format_tag::ab}, engine_);
    y_ = memory({{tokens, out}, result, memory::format_tag::ab}, engine_);
    memory weight({{in, out}, Type::s8, memory::format_tag::ba}, engine_);
    std::memset(x_.get_data_handle(), 3, x_.get_desc().get_size());
    std::memset(weight.get_data_handle(), 5, weight.get_desc().get_size());
    const memory::desc any({in, out}, Type::s8, memory::format_tag::any);
    const dnnl::matmul::primitive_desc description(
        dnnl::matmul::desc(x_.get_desc(), any, y_.get_desc()), engine_);
    memory ordered(description.weights_desc(), engine_);
    dnnl::reorder(weight, ordered).execute(stream_, weight, ordered);
    stream_.wait();
    product_ = dnnl::matmul(description);
    operands_ = {{DNNL_ARG_SRC, x_}, {DNNL_ARG_WEIGHTS, ordered}, {DNNL_ARG_DST, y_}};
  }
  void run() {
    product_.execute(stream_, operands_);
    stream_.wait();
  }
  std::uint8_t* x() { return static_cast<std::uint8_t*>(x_.get_data_handle()); }
  const std::int32_t* sums() { return static_cast<const std::int32_t*>(y_.get_data_handle()); }

 private:
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  memory x_, y_;
  dnnl::matmul product_;
  std::unordered_map<int, memory> operands_;
};

/// The product alone, to float32, without scales and zero points: the least that it can take.
class OneDnnInt8 : public benchmarks::Peer {
 public:
  OneDnnInt8(const LinearSizes& sizes, int threads) : product_(sizes, threads, Type::f32) {}
  void forward() override { product_.run(); }
  void backward() override {}

 private:
  Product product_;
};

/// What a merged layer computes: floats in, quantized with a scale and a zero point for each token
/// (which oneDNN's product has no place for), and floats out. The quantizer is lrqat's.
class OneDnnInt8Layer : public benchmarks::Peer {
 public:
  OneDnnInt8Layer(const LinearSizes& sizes, int threads)
      : sizes_(sizes),
        product_(sizes, threads, Type::s32),
        x_(sizes.tokens * sizes.in, 0.5f),
        y_(sizes.tokens * sizes.out),
        scale_(sizes.out, 0.01f),
        code_sum_(sizes.out, 5.0f * static_cast<float>(sizes.in)),
        tokens_(sizes.tokens) {
    for (std::size_t i = 0; i < x_.size(); ++i) x_[i] = static_cast<float>(i % 251) - 100.0f;
  }
  void forward() override {
    using Bytes = Input<UInt<8>, PerToken, IntegerZeroPoint>;
    each_token([&](std::size_t t) {
      tokens_[t] = Bytes::quantize({x_.data() + t * sizes_.in, sizes_.in},
                                   {product_.x() + t * sizes_.in, sizes_.in});
    });
    product_.run();
    each_token([&](std::size_t t) {
      kernel::vectorised([&] {
        kernel::for_each_lane(
            sizes_.out,
            [from = product_.sums() + t * sizes_.out, to = y_.data() + t * sizes_.out,
             by = tokens_[t].scale, zero = tokens_[t].zero_point, scale = scale_.data(),
             code_sum = code_sum_.data()](std::size_t i) LRQAT_INLINE_LAMBDA {
              to[i] = (static_cast<float>(from[i]) - zero * code_sum[i]) * (by * scale[i]);
            });
      });
    });
  }
  void backward() override {}

 private:
  template <class F>
  void each_token(const F& f) {
    constexpr std::size_t piece = 16;
    parallel_for((sizes_.tokens + piece - 1) / piece, [&](std::size_t task) {
      for (std::size_t t = task * piece; t < std::min(sizes_.tokens, (task + 1) * piece); ++t) f(t);
    });
  }

  LinearSizes sizes_;
  Product product_;
  AlignedVector<float> x_, y_, scale_, code_sum_;
  std::vector<TokenScale<float>> tokens_;
};

template <class Peer>
std::unique_ptr<benchmarks::Peer> make(const LinearSizes& sizes, int threads) {
  return std::make_unique<Peer>(sizes, threads);
}

const benchmarks::AddInt8Peer alone{"onednn_u8_s8", make<OneDnnInt8>};
const benchmarks::AddInt8Peer layer{"onednn_u8_s8_layer", make<OneDnnInt8Layer>};

}  // namespace
