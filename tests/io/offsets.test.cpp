// SPDX-License-Identifier: MIT
// tests/io/offsets.test.cpp: layers with real offsets in files.
#include <lrqat/grid/offset.hpp>
#include <lrqat/io/gguf_llama.hpp>
#include <lrqat/io/packed_hugging_face.hpp>

#include "mixed_llama.hpp"
#include "plain_files.hpp"

#include <catch2/catch.hpp>

using namespace lrqat;
using Catch::Contains;
using lrqat::test::error_of;
using lrqat::test::MixedLlama;
using lrqat::test::TemporaryFolder;

namespace {

/// The codes and scales of another layer, with offsets that are halves times `factor`.
template <class G>
MergedLinear<Offset<G>> with_offsets(Shape shape, std::size_t group, std::uint64_t seed,
                                     float factor = 1.0f) {
  const CounterRng random(seed, 6);
  const MergedLinear<G> levels = test::random_merged<G>(shape, group, seed);
  std::vector<float> offsets;
  for (std::size_t i = 0; i < levels.layout().size(); ++i)
    offsets.push_back((static_cast<float>(random.below(512, i)) - 256.0f) * 0x1p-12f * factor);
  MergedLinear<Offset<G>> merged(shape, levels.layout(), levels.scales(), {}, {}, offsets);
  for (std::size_t i = 0; i < shape.rows; ++i)
    for (std::size_t j = 0; j < shape.cols; ++j) merged.set_code(i, j, levels.code(i, j));
  return merged;
}

template <class G>
MixedLlama llama_with_offsets(float factor = 1.0f) {
  MixedLlama model(true);
  const LlamaConfig& config = model.frame.config;
  for (const LinearKind kind : {LinearKind::query, LinearKind::gate})
    model.layers[static_cast<std::size_t>(kind)] =
        AnyLinear(with_offsets<G>(linear_shape(config, kind), 32, 3, factor));
  return model;
}

}  // namespace

TEST_CASE("Packed safetensors: offsets come back bit for bit", "[io]") {
  for (const float factor : {1.0f, 1.1f}) {
    const TemporaryFolder folder;
    const MixedLlama model = llama_with_offsets<Int<4>>(factor);
    write_packed_hugging_face(folder / "m", model.to_store());
    const StoredLlama read = read_packed_hugging_face(folder / "m");
    CHECK(test::same_bits(read.weights, model.dequantized()));
    const LinearName query{0, LinearKind::query}, key{0, LinearKind::key};
    const MergedWeight written = model.to_store().layer(query).merged_weight();
    REQUIRE(read.layer(query) != nullptr);
    CHECK(read.layer(query)->offsets == written.offsets);
    CHECK(read.layer(query)->scales == written.scales);
    CHECK(read.layer(query)->codes == written.codes);
    CHECK(!read.layer(key)->has_offset());
    const SafetensorsFile file(folder / "m/model.safetensors");
    CHECK(file.at("model.layers.0.self_attn.q_proj.offsets").dtype ==
          (factor == 1.0f ? "F16" : "F32"));
    const auto back = merged_linear<MergedLinear<Offset<Int<4>>>>(*read.layer(query));
    CHECK(merged_weight(back).codes == written.codes);
    CHECK_THROWS_WITH(merged_linear<MergedLinear<Int<4>>>(*read.layer(query)),
                      Contains("with offsets, are not those of a grid of 4 bits"));
  }
}

TEST_CASE("GGUF: an offset on 16 unsigned levels is the minimum of Q4_1", "[io]") {
  const TemporaryFolder folder;
  const MixedLlama model = llama_with_offsets<UInt<4>>();
  write_gguf_llama(folder / "m", model.to_store(), test::six_pieces());
  const GgufFile file(folder / "m");
  CHECK(file.tensor("blk.0.attn_q.weight").type == GgmlType::q4_1);
  // Their minima are no multiples of scales, so that they are read as floats: the same ones.
  const StoredLlama read = read_gguf_llama(folder / "m");
  CHECK(read.layer({0, LinearKind::query}) == nullptr);
  CHECK(test::same_bits(read.weights, model.dequantized()));
}

TEST_CASE("GGUF: offsets that no type holds are refused with what to train instead", "[io]") {
  const auto refusal = [](const auto& merged) {
    return error_of([&] { detail::ggml_type_of(merged_weight(merged), "blocks.0.query"); });
  };
  CHECK_THAT(refusal(with_offsets<Int<4>>({4, 64}, 32, 1)),
             Contains("Offset<Int<4>> is the grid of no type") && Contains("Offset<UInt<4>>"));
  CHECK_THAT(refusal(with_offsets<UInt<8>>({4, 64}, 32, 1)), Contains("Offset<UInt<8>>"));
  CHECK_THAT(refusal(with_offsets<UInt<4>>({4, 64}, 32, 1, 1.1f)),
             Contains("offset") && Contains("train with Fp16Scale"));
  CHECK_THAT(refusal(with_offsets<UInt<4>>({4, 64}, 16, 1)), Contains("groups of 32"));
}
