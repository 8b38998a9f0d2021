// SPDX-License-Identifier: MIT
// nn/quantized_kv_cache.hpp: keys and values of the tokens a model has seen, in 4 or 8 bits.
#ifndef LRQAT_NN_QUANTIZED_KV_CACHE_HPP
#define LRQAT_NN_QUANTIZED_KV_CACHE_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/input/any_input.hpp>
#include <lrqat/kernel/transpose.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/nn/activation_bits.hpp>
#include <lrqat/nn/llama_weights.hpp>  // LlamaConfig
#include <lrqat/nn/rope.hpp>
#include <lrqat/nn/rows.hpp>  // for_rows
#include <lrqat/storage/packed.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace lrqat {

/// Keys and values of one sequence as their layers give them, before rotary embedding: packed codes
/// of ActivationBits::cache, and a scale and a zero point for every head of every token. They are
/// never expanded as a whole.
class QuantizedKvCache {
 public:
  /// Room for `capacity` tokens (0: the model's context).
  /// Errors: bits other than 4 and 8.
  QuantizedKvCache(const LlamaConfig& config, const ActivationBits& bits, std::size_t capacity = 0)
      : how_(bits.cache),
        layers_(config.layers),
        heads_(config.kv_heads),
        head_dim_(config.head_dim),
        capacity_(capacity == 0 ? config.context : capacity) {
    expects(how_.bits == 4 || how_.bits == 8, "QuantizedKvCache: keys and values have ", how_.bits,
            " bits, it stores 4 or 8");
    expects(head_dim_ % 2 == 0, "QuantizedKvCache: head_dim is ", head_dim_,
            ", a head must fill whole bytes");
    const std::size_t rows = layers_ * 2 * heads_ * capacity_;
    codes_.resize(rows * row_bytes());
    scales_.resize(rows);
    (integer() ? integer_zeros_.resize(rows) : real_zeros_.resize(rows));
  }

  const AnyInput& quantizer() const { return how_; }
  std::size_t layers() const { return layers_; }
  std::size_t width() const { return heads_ * head_dim_; }
  std::size_t capacity() const { return capacity_; }
  /// Tokens seen.
  std::size_t length() const { return length_; }
  /// Codes, scales (4 bytes each) and zero points (4 bytes, an integer one 1 byte).
  std::size_t bytes() const {
    return codes_.size() + scales_.size() * sizeof(float) + real_zeros_.size() * sizeof(float) +
           integer_zeros_.size();
  }

  /// Quantizes the tokens that follow those seen, in one layer; append() counts them. A head with a
  /// number that is not finite is kept as NaN.
  /// @param key, value  (tokens, kv_heads * head_dim)
  /// Errors: other shapes; no room for the tokens.
  void write(std::size_t layer, MatrixView<const float> key, MatrixView<const float> value) {
    expects(key.cols == width() && key.shape() == value.shape() && layer < layers_,
            "QuantizedKvCache: keys (", key.rows, ", ", key.cols, ") and values (", value.rows,
            ", ", value.cols, ") in layer ", layer, " of ", layers_, " with ", width(),
            " numbers a token");
    expect_room(key.rows);
    for_rows(key.rows, [=, this](std::size_t first, std::size_t last) {
      for (std::size_t row = first; row < last; ++row)
        for (std::size_t head = 0; head < heads_; ++head) {
          const std::size_t col = head * head_dim_;
          encode(place(layer, Part::key, head) + length_ + row,
                 key.row(row).subspan(col, head_dim_));
          encode(place(layer, Part::value, head) + length_ + row,
                 value.row(row).subspan(col, head_dim_));
        }
    });
  }

  /// Values of some tokens of one head, from `first` on: (tokens, head_dim), overwritten.
  void read_values(std::size_t layer, std::size_t head, std::size_t first,
                   MatrixView<float> value) const {
    expects(value.cols == head_dim_ && value.stride == value.cols,
            "QuantizedKvCache: room for ", value.cols, " numbers of a head, it has ", head_dim_);
    const std::size_t row = place(layer, Part::value, head) + first;
    kernel::vectorised([=, this] {
      decode(row, value);
      for (std::size_t r = 0; r < value.rows; ++r)
        kernel::for_each_lane(value.cols, [token = token_of(row + r), code_max = how_.code_max(),
                                           first_step = token_of(row + r).first_step(),
                                           to = value.row(r).data()](std::size_t i) {
          to[i] = token.value_of_code(to[i], first_step, code_max);
        });
    });
  }

  /// Keys likewise, a token in each column: (head_dim, tokens).
  void read_key_columns(std::size_t layer, std::size_t head, std::size_t first,
                        MatrixView<float> key) const {
    expects(key.rows == head_dim_, "QuantizedKvCache: room for ", key.rows,
            " numbers of a head, it has ", head_dim_);
    const std::size_t tokens = key.cols, row = place(layer, Part::key, head) + first;
    const MatrixView<float> codes = scratch<struct cached_codes_slot>(tokens, head_dim_);
    const MatrixView<float> shared = scratch<struct cached_tokens_slot>(3, tokens);
    kernel::vectorised([=, this] {
      decode(row, codes);
      for (std::size_t t = 0; t < tokens; ++t) {
        const TokenScale<float> token = token_of(row + t);
        shared(0, t) = token.scale;
        shared(1, t) = token.zero_point;
        shared(2, t) = token.first_step();
      }
    });
    kernel::transpose(MatrixView<const float>(codes), key);
    kernel::vectorised([=, this] {
      for (std::size_t d = 0; d < head_dim_; ++d)
        kernel::for_each_lane(
            tokens, [scale = shared.row(0).data(), zero = shared.row(1).data(),
                     first_step = shared.row(2).data(), code_max = how_.code_max(),
                     to = key.row(d).data()](std::size_t t) {
              const TokenScale<float> token{scale[t], zero[t]};
              to[t] = token.value_of_code(to[t], first_step[t], code_max);
            });
    });
  }

  /// Counts `tokens` as seen. Errors: no room for them.
  void append(std::size_t tokens) {
    expect_room(tokens);
    length_ += tokens;
  }

  void clear() { length_ = 0; }

 private:
  enum class Part : std::size_t { key, value };

  bool integer() const { return how_.zero_point == ZeroPointMode::integer; }
  std::size_t row_bytes() const { return head_dim_ * static_cast<std::size_t>(how_.bits) / 8; }
  /// Row of a head's first token among all rows.
  std::size_t place(std::size_t layer, Part part, std::size_t head) const {
    return ((layer * 2 + static_cast<std::size_t>(part)) * heads_ + head) * capacity_;
  }
  void expect_room(std::size_t tokens) const {
    expects(length_ + tokens <= capacity_, "QuantizedKvCache: ", length_, " + ", tokens,
            " tokens, there is room for ", capacity_);
  }

  LRQAT_INLINE void encode(std::size_t row, std::span<const float> x) {
    const TokenScale<float> token = how_.observe(x);
    const float first_step = token.first_step();
    bool finite = true;
    for (const float value : x) finite = finite && value - value == 0.0f;
    const bool usable = finite && token.scale - token.scale == 0.0f;
    scales_[row] = usable ? token.scale : std::numeric_limits<float>::quiet_NaN();
    const float zero = usable ? token.zero_point : 0.0f;
    if (integer())
      integer_zeros_[row] = static_cast<std::uint8_t>(zero);
    else
      real_zeros_[row] = zero;
    std::byte* const to = codes_.data() + row * row_bytes();
    const float code_max = how_.code_max();
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float code = usable ? token.code(x[i], first_step, code_max) : 0.0f;
      if (how_.bits == 8)
        Codes<8>::store(to, i, static_cast<int>(code));
      else
        Codes<4>::store(to, i, static_cast<int>(code));
    }
  }

  LRQAT_INLINE TokenScale<float> token_of(std::size_t row) const {
    return {scales_[row],
            integer() ? static_cast<float>(integer_zeros_[row]) : real_zeros_[row]};
  }

  /// The codes of a head's tokens lie one after the other, without gaps.
  LRQAT_INLINE void decode(std::size_t row, MatrixView<float> codes) const {
    const std::span<float> all(codes.data, codes.rows * codes.cols);
    const std::byte* const from = codes_.data() + row * row_bytes();
    if (how_.bits == 8)
      Codes<8>::decode(from, 0, 0.0f, all);
    else
      Codes<4>::decode(from, 0, 0.0f, all);
  }

  template <int bits>
  using Codes = Packed::bound_to<UInt<bits>>;

  AnyInput how_;
  std::size_t layers_, heads_, head_dim_, capacity_, length_ = 0;
  AlignedVector<std::byte> codes_;
  AlignedVector<float> scales_, real_zeros_;
  AlignedVector<std::uint8_t> integer_zeros_;
};

/// One head of the cache as attention reads it: a tile at a time, keys rotated and quantized again.
struct CachedKeys {
  const QuantizedKvCache* cache;
  const Rope<float>* rope;
  AnyInput rotated;  // ActivationBits::rotated
  std::size_t layer, head;

  void key_columns(std::size_t first, MatrixView<float> columns) const {
    cache->read_key_columns(layer, head, first, columns);
    rope->forward_columns(columns, first);
    quantize_columns(rotated, columns);
  }
  MatrixView<const float> keys(std::size_t first, std::size_t count) const {
    const MatrixView<float> columns = scratch<struct key_columns_slot>(rope->head_dim(), count);
    const MatrixView<float> tile = scratch<struct key_tile_slot>(count, rope->head_dim());
    key_columns(first, columns);
    kernel::transpose(MatrixView<const float>(columns), tile);
    return tile;
  }
  MatrixView<const float> values(std::size_t first, std::size_t count) const {
    const MatrixView<float> tile = scratch<struct value_tile_slot>(count, rope->head_dim());
    cache->read_values(layer, head, first, tile);
    return tile;
  }
};

}  // namespace lrqat

#endif  // LRQAT_NN_QUANTIZED_KV_CACHE_HPP
