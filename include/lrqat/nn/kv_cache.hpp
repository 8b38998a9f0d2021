// SPDX-License-Identifier: MIT
// nn/kv_cache.hpp: keys and values of the tokens a model has seen, for generation.
#ifndef LRQAT_NN_KV_CACHE_HPP
#define LRQAT_NN_KV_CACHE_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/nn/llama_weights.hpp>  // LlamaConfig

#include <cstddef>

namespace lrqat {

/// Rotated keys and values of one sequence, (capacity, kv_heads * head_dim) for every layer.
template <class T>
class KvCache {
 public:
  /// Room for `capacity` tokens (0: the model's context).
  explicit KvCache(const LlamaConfig& config, std::size_t capacity = 0)
      : layers_(config.layers),
        width_(config.kv_heads * config.head_dim),
        capacity_(capacity == 0 ? config.context : capacity),
        keys_(layers_ * capacity_ * width_),
        values_(layers_ * capacity_ * width_) {}

  std::size_t layers() const { return layers_; }
  std::size_t width() const { return width_; }
  std::size_t capacity() const { return capacity_; }
  /// Tokens seen.
  std::size_t length() const { return length_; }
  std::size_t bytes() const { return 2 * layers_ * capacity_ * width_ * sizeof(T); }

  /// Rows [0, capacity) of one layer; those from length() on are undefined.
  MatrixView<T> keys(std::size_t layer) { return rows_of(keys_, layer); }
  MatrixView<T> values(std::size_t layer) { return rows_of(values_, layer); }

  /// Counts `tokens` rows as seen. Errors: no room for them.
  void append(std::size_t tokens) {
    expects(length_ + tokens <= capacity_, "KvCache: ", length_, " + ", tokens,
            " tokens, there is room for ", capacity_);
    length_ += tokens;
  }

  void clear() { length_ = 0; }

 private:
  MatrixView<T> rows_of(AlignedVector<T>& all, std::size_t layer) {
    return {all.data() + layer * capacity_ * width_, capacity_, width_};
  }

  std::size_t layers_, width_, capacity_, length_ = 0;
  AlignedVector<T> keys_, values_;
};

}  // namespace lrqat

#endif  // LRQAT_NN_KV_CACHE_HPP
