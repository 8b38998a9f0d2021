// SPDX-License-Identifier: MIT
// benchmarks/peers/onednn.cpp: oneDNN in float32 and in bfloat16.
#include "peers.hpp"

#include <dnnl.hpp>
#if defined(_OPENMP)
#include <omp.h>
#endif

#include <cstring>
#include <initializer_list>
#include <unordered_map>

namespace {

using dnnl::memory;
using lrqat::benchmarks::LinearSizes;
using Type = memory::data_type;

/// Row-major matrices, also as transposes of themselves; bfloat16 ones with float32 dW, as a
/// mixed-precision trainer would have it.
class OneDnnPeer : public lrqat::benchmarks::Peer {
 public:
  OneDnnPeer(const LinearSizes& sizes, int threads, Type type) {
#if defined(_OPENMP)
    omp_set_num_threads(threads);
#else
    static_cast<void>(threads);
#endif
    const auto out = static_cast<memory::dim>(sizes.out), in = static_cast<memory::dim>(sizes.in),
               tokens = static_cast<memory::dim>(sizes.tokens);
    const memory x = matrix(tokens, in, type), weight = matrix(out, in, type);
    const memory grad_y = matrix(tokens, out, type), y = matrix(tokens, out, type);
    const memory grad_x = matrix(tokens, in, type), grad_weight = matrix(out, in, Type::f32);
    for (const memory& each : {x, weight, grad_y}) {
      fill(each, type);
      operands_.push_back(each);  // the products only borrow them
    }
    y_ = product(x, false, weight, true, y);
    grad_x_ = product(grad_y, false, weight, false, grad_x);
    grad_weight_ = product(grad_y, true, x, false, grad_weight);
  }
  void forward() override { run({&y_}); }
  void backward() override { run({&grad_x_, &grad_weight_}); }

 private:
  struct Product {
    dnnl::matmul primitive;
    std::unordered_map<int, memory> operands;
  };

  memory matrix(memory::dim rows, memory::dim cols, Type type) {
    return memory({{rows, cols}, type, memory::format_tag::ab}, engine_);
  }
  static void fill(const memory& matrix, Type type) {
    // 0.5 in either type; bytes of a float32 or two bytes of a bfloat16
    const std::size_t bytes = matrix.get_desc().get_size();
    auto* const data = static_cast<unsigned char*>(matrix.get_data_handle());
    const unsigned char half_float[] = {0, 0, 0, 0x3F}, half_bfloat[] = {0, 0x3F};
    for (std::size_t i = 0; i < bytes; ++i)
      data[i] = type == Type::f32 ? half_float[i % 4] : half_bfloat[i % 2];
  }
  static memory::desc described(const memory& matrix, bool transposed) {
    const auto dims = matrix.get_desc().dims();
    const auto type = matrix.get_desc().data_type();
    if (!transposed) return {dims, type, memory::format_tag::ab};
    return {{dims[1], dims[0]}, type, memory::format_tag::ba};
  }
  Product product(const memory& left, bool left_transposed, const memory& right,
                  bool right_transposed, const memory& result) {
    const auto left_desc = described(left, left_transposed);
    const auto right_desc = described(right, right_transposed);
    const dnnl::matmul::primitive_desc description(
        dnnl::matmul::desc(left_desc, right_desc, result.get_desc()), engine_);
    return {dnnl::matmul(description),
            {{DNNL_ARG_SRC, memory(left_desc, engine_, left.get_data_handle())},
             {DNNL_ARG_WEIGHTS, memory(right_desc, engine_, right.get_data_handle())},
             {DNNL_ARG_DST, result}}};
  }
  void run(std::initializer_list<Product*> products) {
    for (Product* each : products) each->primitive.execute(stream_, each->operands);
    stream_.wait();
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::vector<memory> operands_;
  Product y_, grad_x_, grad_weight_;
};

template <Type type>
std::unique_ptr<lrqat::benchmarks::Peer> make(const LinearSizes& sizes, int threads) {
  return std::make_unique<OneDnnPeer>(sizes, threads, type);
}

const lrqat::benchmarks::AddPeer added_float{"onednn_float", make<Type::f32>};
const lrqat::benchmarks::AddPeer added_bf16{"onednn_bf16", make<Type::bf16>};

}  // namespace
