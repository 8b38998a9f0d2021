// SPDX-License-Identifier: MIT
// io/packed_hugging_face.hpp: merged LLaMAs in a Hugging Face folder, codes packed in bytes.
//
// In place of "<layer>.weight", a quantized layer has
//
//   <layer>.codes        U8 (out, bytes of a row): codes of b bits one after the other, the first in
//                        the lowest bits, signed ones in two's complement; a row starts on a byte
//   <layer>.scales       F16 where that is exact, otherwise F32; (out or 1, groups of a row)
//   <layer>.zero_points  I32, of that shape; for grids with a zero point only
//   <layer>.offsets      like scales, of that shape; for grids with an offset only
//
// and under "<layer>" in the file's metadata a JSON object: bits, signed, shape (out, in) and
// group, the number of neighbouring inputs that share a scale. weight = scale * (code - zero
// point) + offset. Rows of query and key are in the order of rotate-half, as those of any Hugging Face
// model.
#ifndef LRQAT_IO_PACKED_HUGGING_FACE_HPP
#define LRQAT_IO_PACKED_HUGGING_FACE_HPP

#include <lrqat/io/hugging_face_writer.hpp>
#include <lrqat/storage/packed.hpp>

#include <bit>
#include <cmath>
#include <cstdint>

namespace lrqat {

namespace detail {

inline constexpr const char* packed_format = "lrqat.packed.1";

/// Rows of codes in the format of Packed.
inline AlignedVector<std::byte> pack_codes(const AlignedVector<std::int16_t>& codes,
                                           std::size_t cols, unsigned bits) {
  const std::size_t row_bytes = packed_row_bytes(cols, bits);
  AlignedVector<std::byte> bytes(codes.size() / cols * row_bytes);
  for (std::size_t i = 0; i < codes.size(); ++i)
    store_field(bytes.data() + i / cols * row_bytes, i % cols, bits,
                static_cast<unsigned>(codes[i]));
  return bytes;
}
/// @pre there are bytes for `rows` rows
inline AlignedVector<std::int16_t> unpack_codes(std::span<const std::byte> bytes, std::size_t rows,
                                                std::size_t cols, unsigned bits, bool is_signed) {
  const std::size_t row_bytes = packed_row_bytes(cols, bits);
  AlignedVector<std::int16_t> codes(rows * cols);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const unsigned field = load_field(bytes.data() + i / cols * row_bytes, i % cols, bits);
    const int wrap = is_signed && field >> (bits - 1) != 0 ? 1 << bits : 0;
    codes[i] = static_cast<std::int16_t>(static_cast<int>(field) - wrap);
  }
  return codes;
}

/// What the metadata say about a layer.
inline std::string scheme_text(const MergedWeight& weight) {
  return nlohmann::json{{"bits", weight.bits},
                        {"signed", weight.code_min < 0},
                        {"shape", {weight.shape.rows, weight.shape.cols}},
                        {"group", weight.layout.group_columns}}
      .dump();
}

/// The zero points as integers, which they are on every grid of the library.
inline AlignedVector<std::byte> zero_points_as_int32(const AlignedVector<float>& zero_points,
                                                     const std::string& name) {
  AlignedVector<std::byte> bytes(zero_points.size() * sizeof(std::int32_t));
  for (std::size_t i = 0; i < zero_points.size(); ++i) {
    expects(std::floor(zero_points[i]) == zero_points[i] && std::fabs(zero_points[i]) <= 0x1p24f,
            name, ": zero point ", i, " is ", zero_points[i], ", no integer");
    const auto value = static_cast<std::int32_t>(zero_points[i]);
    std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
  }
  return bytes;
}

/// One quantized layer from the file that holds its codes.
class PackedLayerReader {
 public:
  PackedLayerReader(HuggingFaceTensors& tensors, std::string layer)
      : tensors_(tensors),
        layer_(std::move(layer)),
        file_(tensors.file_of(layer_ + ".codes")),
        where_(file_.path().string() + ": " + layer_) {
    const auto found = file_.metadata().find(layer_);
    expects(found != file_.metadata().end(), where_, ": the metadata do not describe its codes");
    scheme_ = parse_json_object(found->second, where_);
  }

  /// @param wanted  (out, in)
  MergedWeight read(Shape wanted, LinearKind kind, std::size_t head_dim) {
    MergedWeight weight;
    weight.shape = wanted;
    const auto bits = static_cast<unsigned>(number("bits", 8));
    weight.bits = static_cast<int>(bits);
    const auto is_signed = scheme_.find("signed");
    expects(is_signed != scheme_.end() && is_signed->is_boolean(), where_,
            ": signed is missing or neither true nor false");
    weight.code_min = is_signed->get<bool>() ? -(1 << (weight.bits - 1)) : 0;
    const std::vector<std::size_t> shape = size_list(scheme_, "shape", where_);
    expects(shape == std::vector<std::size_t>{wanted.rows, wanted.cols}, where_, ": its shape is ",
            shape_text(shape), ", needed is ", shape_text(std::vector{wanted.rows, wanted.cols}));
    const std::size_t group = number("group", wanted.cols);
    const TensorInfo& stored = tensors_.file_of(layer_ + ".scales").at(layer_ + ".scales");
    const std::size_t scale_rows = stored.shape.empty() ? 0 : stored.shape.front();
    weight.layout = {{scale_rows, (wanted.cols + group - 1) / group}, group};
    expects(scale_rows == wanted.rows || scale_rows == 1, where_, ": ", scale_rows,
            " rows of scales for ", wanted.rows, " outputs");
    const std::vector<std::size_t> scales{scale_rows, weight.layout.scales.cols};
    weight.scales =
        rows_here(tensors_.floats(layer_ + ".scales", scales), kind, scale_rows, head_dim);
    weight.has_zero_point = tensors_.contains(layer_ + ".zero_points");
    if (weight.has_zero_point)
      weight.zero_points = rows_here(zero_points(scales), kind, scale_rows, head_dim);
    if (tensors_.contains(layer_ + ".offsets")) {
      expects(!weight.has_zero_point, where_, ": has both zero points and offsets");
      weight.offsets =
          rows_here(tensors_.floats(layer_ + ".offsets", scales), kind, scale_rows, head_dim);
    }
    const auto bytes =
        raw(layer_ + ".codes", "U8", {wanted.rows, packed_row_bytes(wanted.cols, bits)});
    weight.codes =
        rows_here(unpack_codes(bytes, wanted.rows, wanted.cols, bits, weight.code_min < 0),
                  kind, wanted.rows, head_dim);
    return weight;
  }

 private:
  std::size_t number(const char* key, std::size_t largest) const {
    const auto found = scheme_.find(key);
    const bool fits = found != scheme_.end() && found->is_number_unsigned() &&
                      found->get<std::uint64_t>() >= 1 && found->get<std::uint64_t>() <= largest;
    expects(fits, where_, ": ", key, " is missing or not from 1 to ", largest);
    return found->get<std::size_t>();
  }
  std::span<const std::byte> raw(const std::string& name, const char* dtype,
                                 const std::vector<std::size_t>& shape) {
    const SafetensorsFile& file = tensors_.file_of(name);
    const TensorInfo& tensor = file.at(name);
    expects(tensor.dtype == dtype && tensor.shape == shape, file.path().string(), ": tensor ",
            printable(name), ": is ", tensor.dtype, " ", shape_text(tensor.shape), ", needed is ",
            dtype, " ", shape_text(shape));
    tensors_.mark_used(name);
    return file.bytes(name);
  }
  AlignedVector<float> zero_points(const std::vector<std::size_t>& shape) {
    const auto bytes = raw(layer_ + ".zero_points", "I32", shape);
    AlignedVector<float> values(bytes.size() / sizeof(std::int32_t));
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::int32_t value = 0;
      std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
      expects(std::abs(std::int64_t{value}) <= 1 << 24, where_, ": zero point ", i, " is ", value,
              ", beyond 2^24");
      values[i] = static_cast<float>(value);
    }
    return values;
  }

  HuggingFaceTensors& tensors_;
  std::string layer_;
  const SafetensorsFile& file_;
  std::string where_;
  nlohmann::json scheme_;
};

}  // namespace detail

/// Writes model.safetensors and config.json with the codes of quantized layers packed, any scheme
/// exactly; plain layers, embedding, norms and head are F32. Makes the folder where it is missing;
/// each file is replaced atomically.
/// @throws Error for a layer with a bias, or on a grid whose levels only its type knows
inline void write_packed_hugging_face(const std::filesystem::path& folder,
                                      const LlamaToStore& model) {
  const LlamaConfig& config = model.frame.config;
  detail::HuggingFaceTensorList list(model, HuggingFaceFloats::f32);
  std::map<std::string, std::string> metadata{{"format", "pt"},
                                              {"lrqat.format", detail::packed_format}};
  list.add_frame();
  detail::for_each_linear_name(config, [&](const LinearName& which) {
    const AnyLinear& layer = model.layer(which);
    if (!layer.is_merged()) return list.add_weight(which);
    const std::string name = detail::hugging_face_name(which);
    const MergedWeight weight = layer.merged_weight();
    expects(weight.is_uniform, which.text(),
            ": its grid has levels of its own; write it as floats");
    expects(weight.bias.empty(), which.text(), ": has a bias, for which a LLaMA has no place");
    metadata[name] = detail::scheme_text(weight);
    const Shape scales = weight.layout.scales;
    const std::vector<std::size_t> shape{scales.rows, scales.cols};
    const auto there = [kind = which.kind, head_dim = config.head_dim](const auto& rows,
                                                                       std::size_t row_count) {
      return detail::rows_there(rows, kind, row_count, head_dim);
    };
    const auto bits = static_cast<unsigned>(weight.bits);
    list.tensors.push_back(
        {name + ".codes",
         "U8",
         {weight.shape.rows, detail::packed_row_bytes(weight.shape.cols, bits)},
         [&layer, there, bits] {
           const MergedWeight codes = layer.merged_weight();
           return detail::pack_codes(there(codes.codes, codes.shape.rows), codes.shape.cols, bits);
         }});
    const auto add_floats = [&](const char* of, const AlignedVector<float>& values) {
      const auto floats = std::ranges::all_of(values, detail::is_half) ? HuggingFaceFloats::f16
                                                                       : HuggingFaceFloats::f32;
      list.tensors.push_back(
          {name + of, detail::dtype_of(floats), shape,
           [bytes = detail::floats_as(floats, there(values, scales.rows), name)] { return bytes; }});
    };
    add_floats(".scales", weight.scales);
    if (weight.has_offset()) add_floats(".offsets", weight.offsets);
    if (weight.has_zero_point)
      list.tensors.push_back(
          {name + ".zero_points", "I32", shape,
           [bytes = detail::zero_points_as_int32(there(weight.zero_points, scales.rows), name)] {
             return bytes;
           }});
  });
  nlohmann::json root = detail::hugging_face_config(config, HuggingFaceFloats::f32);
  root["quantization_config"] = {{"quant_method", "lrqat"}, {"format", detail::packed_format}};
  make_folder(folder);
  make_safetensors(folder / "model.safetensors", list.tensors, metadata);
  write_file(folder / "config.json", root.dump(2) + "\n");
}

/// Whether the folder's config.json says that write_packed_hugging_face() wrote it.
inline bool is_packed_hugging_face(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "config.json";
  const nlohmann::json root = detail::parse_json_object(MappedFile(path).text(), path.string());
  const auto key = root.find("quantization_config");
  return key != root.end() && key->is_object() && key->contains("format") &&
         (*key)["format"] == detail::packed_format;
}

/// Reads such a folder: the same codes, scales and floats. @throws Error that names the file, and
/// the key or the tensor
inline StoredLlama read_packed_hugging_face(const std::filesystem::path& folder) {
  expects(is_packed_hugging_face(folder), folder.string(), ": its config.json does not name the ",
          "format ", detail::packed_format);
  StoredLlama read;
  LlamaWeights& weights = read.weights;
  LlamaConfig& config = weights.config;
  config =
      detail::HuggingFaceConfig(folder / "config.json", detail::QuantizationKey::read_elsewhere)
          .read();
  detail::HuggingFaceTensors tensors(folder);
  expects(config.layers <= tensors.count() / std::size(detail::block_tensors), folder.string(),
          ": config.json says ", config.layers, " layers, the ", tensors.count(),
          " tensors are too few for them");
  const std::vector<std::size_t> table{config.vocab, config.dim}, norm{config.dim};
  weights.embedding = tensors.floats("model.embed_tokens.weight", table);
  weights.blocks.resize(config.layers);
  for (std::size_t block = 0; block < config.layers; ++block)
    for (const char* own : {"attention_norm", "mlp_norm"}) {
      const detail::BlockTensor& tensor = detail::block_tensor(own);
      weights.blocks[block].*tensor.member =
          tensors.floats("model.layers." + std::to_string(block) + "." +
                             std::string(tensor.hugging_face_name) + ".weight",
                         norm);
    }
  detail::for_each_linear_name(config, [&](const LinearName& which) {
    const std::string name = detail::hugging_face_name(which);
    const Shape shape = linear_shape(config, which.kind);
    AlignedVector<float>& floats =
        weights.blocks[which.block].*detail::block_tensor(lrqat::name(which.kind)).member;
    if (!tensors.contains(name + ".codes")) {
      floats = detail::rows_here(tensors.floats(name + ".weight", {shape.rows, shape.cols}),
                                 which.kind, shape.rows, config.head_dim);
      read.layers.emplace_back();
      return;
    }
    read.layers.emplace_back(
        detail::PackedLayerReader(tensors, name).read(shape, which.kind, config.head_dim));
    floats.resize(shape.size());
    for (std::size_t row = 0; row < shape.rows; ++row)
      read.layers.back()->dequantize(row, std::span(floats).subspan(row * shape.cols, shape.cols));
    detail::expect_finite(floats, folder.string(), name);
  });
  weights.final_norm = tensors.floats("model.norm.weight", norm);
  if (!config.tied_head) weights.head = tensors.floats("lm_head.weight", table);
  tensors.expect_all_used(config.tied_head);
  return read;
}

}  // namespace lrqat

#endif  // LRQAT_IO_PACKED_HUGGING_FACE_HPP
