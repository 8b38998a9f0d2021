// SPDX-License-Identifier: MIT
// benchmarks/peers/onednn_int8.cpp: oneDNN's product of unsigned and signed bytes.
#include "peers.hpp"

#include <dnnl.hpp>
#if defined(_OPENMP)
#include <omp.h>
#endif

#include <cstring>
#include <unordered_map>

namespace {

using dnnl::memory;
using lrqat::benchmarks::LinearSizes;
using Type = memory::data_type;

/// y (tokens, out) in float32 = x (tokens, in) in u8 times a weight in s8 that is brought once into
/// whatever order oneDNN likes best. Without scales and zero points.
class OneDnnInt8 : public lrqat::benchmarks::Peer {
 public:
  OneDnnInt8(const LinearSizes& sizes, int threads) {
#if defined(_OPENMP)
    omp_set_num_threads(threads);
#else
    static_cast<void>(threads);
#endif
    const auto out = static_cast<memory::dim>(sizes.out), in = static_cast<memory::dim>(sizes.in),
               tokens = static_cast<memory::dim>(sizes.tokens);
    const memory x({{tokens, in}, Type::u8, memory::format_tag::ab}, engine_);
    const memory y({{tokens, out}, Type::f32, memory::format_tag::ab}, engine_);
    memory weight({{in, out}, Type::s8, memory::format_tag::ba}, engine_);
    std::memset(x.get_data_handle(), 3, x.get_desc().get_size());
    std::memset(weight.get_data_handle(), 5, weight.get_desc().get_size());
    const memory::desc any({in, out}, Type::s8, memory::format_tag::any);
    const dnnl::matmul::primitive_desc description(
        dnnl::matmul::desc(x.get_desc(), any, y.get_desc()), engine_);
    memory ordered(description.weights_desc(), engine_);
    dnnl::reorder(weight, ordered).execute(stream_, weight, ordered);
    stream_.wait();
    product_ = dnnl::matmul(description);
    operands_ = {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, ordered}, {DNNL_ARG_DST, y}};
  }
  void forward() override {
    product_.execute(stream_, operands_);
    stream_.wait();
  }
  void backward() override {}

 private:
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::matmul product_;
  std::unordered_map<int, memory> operands_;
};

std::unique_ptr<lrqat::benchmarks::Peer> make(const LinearSizes& sizes, int threads) {
  return std::make_unique<OneDnnInt8>(sizes, threads);
}

const lrqat::benchmarks::AddInt8Peer added{"onednn_u8_s8", make};

}  // namespace
