// SPDX-License-Identifier: MIT
// tests/io/gguf_llama.test.cpp: models as GGUF files: exact, or refused with what to train instead.
#include <lrqat/io/gguf_llama.hpp>

#include "mixed_llama.hpp"
#include "plain_files.hpp"
#include "small_tokenizer.hpp"

#include <support/data.hpp>

#include <catch2/catch.hpp>

using namespace lrqat;
using Catch::Contains;
using lrqat::test::error_of;
using lrqat::test::MixedLlama;
using lrqat::test::six_pieces;

namespace {

/// What write_gguf_llama says to a layer of this kind.
template <class G>
std::string refusal(Shape shape, std::size_t group, float factor = 1.0f, float zero_factor = 1.0f) {
  const auto made = test::random_merged<G>(shape, group, 1);
  MergedWeight weight = merged_weight(made);
  for (float& scale : weight.scales) scale *= factor;
  for (float& zero : weight.zero_points) zero *= zero_factor;
  return error_of([&] { detail::ggml_type_of(weight, "blocks.0.query"); });
}

/// The mixed model's metadata and tensors, changed, and what the reader says.
std::string error_after(
    const std::function<void(GgufMetadata&, std::vector<GgufTensorToWrite>&)>& change) {
  const test::TemporaryFolder folder;
  const MixedLlama model(true);
  write_gguf_llama(folder / "a", model.to_store(), six_pieces());
  const GgufFile file(folder / "a");
  GgufMetadata metadata = file.metadata();
  std::vector<GgufTensorToWrite> tensors;
  for (const GgufTensor& each : file.tensors())
    tensors.push_back({each.name, each.type, each.shape, [&file, &each] {
                         const auto bytes = file.bytes(each);
                         return AlignedVector<std::byte>(bytes.begin(), bytes.end());
                       }});
  change(metadata, tensors);
  write_gguf(folder / "b", metadata, tensors);
  return error_of([&] { read_gguf_llama(folder / "b"); });
}

}  // namespace

TEST_CASE("GGUF: a mixed model comes back bit for bit, codes and floats", "[io]") {
  for (const bool tied : {true, false}) {
    const test::TemporaryFolder folder;
    const MixedLlama model(tied);
    write_gguf_llama(folder / "m", model.to_store(), six_pieces());
    const StoredLlama read = read_gguf_llama(folder / "m");
    CHECK(test::same_bits(read.weights, model.dequantized()));
    REQUIRE(read.layers.size() == model.layers.size());
    detail::for_each_linear_name(read.weights.config, [&](const LinearName& which) {
      CAPTURE(which.text());
      const AnyLinear& layer = model.to_store().layer(which);
      const MergedWeight* const stored = read.layer(which);
      REQUIRE((stored != nullptr) == layer.is_merged());
      if (stored == nullptr) return;
      const MergedWeight written = layer.merged_weight();
      CHECK(stored->codes == written.codes);
      CHECK(stored->scales == written.scales);
      CHECK(stored->zero_points == written.zero_points);
      CHECK(stored->bits == written.bits);
      CHECK(stored->code_min == written.code_min);
      CHECK(stored->layout == written.layout);
    });
    const GgufFile file(folder / "m");
    CHECK(file.tensor("blk.1.attn_q.weight").type == GgmlType::q4_0);
    CHECK(file.tensor("blk.1.attn_k.weight").type == GgmlType::q4_1);
    CHECK(file.tensor("blk.1.attn_v.weight").type == GgmlType::q8_0);
    CHECK(file.tensor("blk.1.attn_output.weight").type == GgmlType::f32);
    CHECK(file.integer("general.file_type") == 2);
    CHECK(file.has_tensor("output.weight") == !tied);
    CHECK(read_gguf_vocabulary(file) == six_pieces());
  }
}

TEST_CASE("GGUF: rotary scaling comes back with the same angles to the bit", "[io]") {
  const test::TemporaryFolder folder;
  MixedLlama model(true);
  LlamaConfig& config = model.frame.config;
  const auto trip = [&](const RopeScaling& scaling) {
    config.rope_scaling = scaling;
    write_gguf_llama(folder / "m", model.to_store(), six_pieces());
    return read_gguf_llama(folder / "m").weights.config;
  };
  const RopeScaling linear = LinearRopeScaling{1.1f}, own = RopeDivisors{{1.0f, 0.7f, 3.0f, 1e30f}};
  CHECK(trip({}) == config);
  CHECK_FALSE(GgufFile(folder / "m").has_tensor("rope_freqs.weight"));
  CHECK(trip(linear) == config);
  const GgufFile file(folder / "m");
  CHECK(*file.find<std::string>("llama.rope.scaling.type") == "linear");
  CHECK(*file.find<float>("llama.rope.scaling.factor") == 1.1f);
  CHECK_FALSE(file.has_tensor("rope_freqs.weight"));
  CHECK(trip(own) == config);

  const Llama3RopeScaling llama3{.factor = 8.0f, .original_context = 100};
  const RopeScaling read = trip(llama3).rope_scaling;
  CHECK(read == RopeScaling(RopeDivisors{rope_divisors(llama3, 8, 5000.0)}));
  // As convert_hf_to_gguf.py has it, for theta 5000, heads of 8 and 100 positions: of 15.9 and 1.9
  // turns, and of 0.23 and 0.027.
  const GgufTensor divisors = GgufFile(folder / "m").tensor("rope_freqs.weight");
  CHECK(divisors.type == GgmlType::f32);
  CHECK(divisors.shape == std::vector<std::size_t>{4});
  const AlignedVector<float>& values = std::get<RopeDivisors>(read).values;
  const double turns = 100 / (2 * 3.14159265358979324) * std::pow(5000.0, -0.25);
  const double kept = (turns - 1) / 3;
  CHECK(values[0] == 1.0f);
  CHECK(values[1] == static_cast<float>(1 / ((1 - kept) / 8 + kept)));
  CHECK(values[2] == 8.0f);
  CHECK(values[3] == 8.0f);
}

TEST_CASE("GGUF: equal models give equal bytes", "[io]") {
  const test::TemporaryFolder folder;
  write_gguf_llama(folder / "a", MixedLlama(true).to_store(), six_pieces());
  write_gguf_llama(folder / "b", MixedLlama(true).to_store(), six_pieces());
  CHECK(test::read_plainly(folder / "a") == test::read_plainly(folder / "b"));
}

TEST_CASE("GGUF: only the floats are rounded when F16 is asked for", "[io]") {
  const test::TemporaryFolder folder;
  const MixedLlama model(true);
  write_gguf_llama(folder / "m", model.to_store(), six_pieces(), GgufFloats::f16);
  const StoredLlama read = read_gguf_llama(folder / "m");
  const LlamaWeights exact = model.dequantized();
  CHECK(read.weights.blocks[0].query == exact.blocks[0].query);
  CHECK(read.weights.final_norm == exact.final_norm);
  for (std::size_t i = 0; i < exact.embedding.size(); ++i)
    CHECK(read.weights.embedding[i] == static_cast<float>(half(exact.embedding[i])));
  for (std::size_t i = 0; i < exact.blocks[1].output.size(); ++i)
    REQUIRE(read.weights.blocks[1].output[i] ==
            static_cast<float>(half(exact.blocks[1].output[i])));
  const float huge = 1e5f;
  CHECK_THAT(error_of([&] {
               detail::floats_as(GgmlType::f16, {&huge, 1}, "t");
             }),
             Contains("t: element 0 is 100000"));
}

TEST_CASE("GGUF: grids that are not exactly the file's are refused with what to train", "[io]") {
  CHECK(refusal<Int<4>>({3, 64}, 32).empty());
  CHECK(refusal<UInt<4>>({3, 64}, 32).empty());
  CHECK(refusal<Int<8>>({3, 64}, 32).empty());
  CHECK_THAT(refusal<Int<3>>({3, 64}, 32), Contains("blocks.0.query: Int<3>") &&
                                               Contains("train Int<4> (for Q4_0)") &&
                                               Contains("PerGroup<32> and Fp16Scale"));
  CHECK_THAT(refusal<UInt<8>>({3, 64}, 32),
             Contains("blocks.0.query: UInt<8>") && Contains("train Int<4> (for Q4_0)"));
  CHECK_THAT(refusal<Int<4>>({3, 172}, 32),
             Contains("rows of 172 weights are no multiple of 32, the block of Q4_0") &&
                 Contains("safetensors"));
  CHECK_THAT(refusal<Int<4>>({3, 64}, 64),
             Contains("64 weights share a scale") && Contains("train with PerGroup<32>"));
  CHECK_THAT(refusal<Int<8>>({3, 64}, 16), Contains("16 weights share a scale"));
  CHECK_THAT(refusal<Int<4>>({3, 64}, 32, 1.0001f),
             Contains("scale 0 is") && Contains("train with Fp16Scale"));
  CHECK_THAT(refusal<Int<4>>({3, 64}, 32, 1e9f), Contains("which 16 bits do not hold"));

  MergedWeight weight = merged_weight(test::random_merged<UInt<4>>({3, 64}, 32, 1));
  const auto error = [&] { return error_of([&] { detail::ggml_type_of(weight, "layer"); }); };
  weight.scales[1] = 1.0f + 0x1p-10f;  // 11 bits: a half, but not 15 times as much
  weight.zero_points[1] = 15.0f;
  CHECK_THAT(error(), Contains("scale 1 times its zero point 15") && Contains("Fp16Scale"));
  weight = merged_weight(test::random_merged<Int<4>>({3, 64}, 32, 1));
  weight.layout = {{1, 1}, 64};
  CHECK_THAT(error(), Contains("all rows share a scale"));
  weight = merged_weight(test::random_merged<Int<4>>({3, 64}, 32, 1));
  weight.bias.resize(3);
  CHECK_THAT(error(), Contains("has a bias"));
  weight.is_uniform = false;
  CHECK_THAT(error(), Contains("levels of its own"));
}

TEST_CASE("GGUF: a model that is refused leaves the old file as it was", "[io]") {
  const test::TemporaryFolder folder;
  test::write_plainly(folder / "m", "old");
  MixedLlama model(true);
  model.layers[13] = AnyLinear(test::random_merged<Int<3>>({32, 64}, 32, 1));
  CHECK_THAT(error_of([&] { write_gguf_llama(folder / "m", model.to_store(), six_pieces()); }),
             Contains("blocks.1.down: Int<3>"));
  Vocabulary small = six_pieces();
  small.pieces.pop_back();
  CHECK_THAT(error_of([&] { write_gguf_llama(folder / "m", MixedLlama(true).to_store(), small); }),
             Contains("5 pieces, the model 6"));
  CHECK(test::read_plainly(folder / "m") == "old");
}

TEST_CASE("GGUF: minima that are no multiples of their scales are read as floats", "[io]") {
  BlockQ4_1 block;
  block.d = half(0.3f);
  block.m = half(-0.7f);
  for (std::size_t j = 0; j < 32; ++j) detail::store_code(block, j, static_cast<int>(j % 16));
  const test::TemporaryFolder folder;
  const auto bytes = [&] {
    AlignedVector<std::byte> all(sizeof block);
    std::memcpy(all.data(), &block, sizeof block);
    return all;
  };
  const auto stored = [&] {
    write_gguf(folder / "f", {},
               std::vector<GgufTensorToWrite>{{"t", GgmlType::q4_1, {1, 32}, bytes}});
    const GgufFile file(folder / "f");
    return detail::merged_weight_of(file, file.tensor("t"));
  };
  CHECK_FALSE(stored());
  block.m = half(-5.0f * static_cast<float>(half(0.25f)));
  block.d = half(0.25f);
  REQUIRE(stored());
  CHECK(stored()->zero_points == AlignedVector<float>{5.0f});
  block.d = half(0.0f);  // all weights are m: no scale gives them
  CHECK_FALSE(stored());
  block.m = half(0.0f);
  CHECK(stored());
}

TEST_CASE("GGUF: what would change a model's results is an error that names it", "[io]") {
  using Tensors = std::vector<GgufTensorToWrite>;
  const auto set = [](const char* key, GgufValue value) {
    return error_after([&](GgufMetadata& metadata, Tensors&) { metadata[key] = value; });
  };
  const auto erase = [](const char* key) {
    return error_after([&](GgufMetadata& metadata, Tensors&) { metadata.erase(key); });
  };
  CHECK(set("general.author", std::string("x")).empty());
  CHECK(set("llama.rope.scaling.type", std::string("none")).empty());
  CHECK_THAT(set("general.architecture", std::string("qwen2")), Contains("qwen2"));
  CHECK_THAT(erase("general.architecture"), Contains("general.architecture is missing"));
  CHECK_THAT(set("llama.expert_count", std::uint32_t{8}), Contains("llama.expert_count"));
  CHECK_THAT(set("llama.rope.scaling.type", std::string("yarn")), Contains("yarn"));
  CHECK(set("llama.rope.scaling.type", std::string("linear")).empty());  // by 1
  CHECK(set("llama.rope.scaling.factor", 2.0f).empty());                 // linear
  CHECK(set("llama.rope.scaling.original_context_length", std::uint32_t{8}).empty());
  for (const float factor : {0.0f, -2.0f, std::nanf(""), INFINITY})
    CHECK_THAT(set("llama.rope.scaling.factor", factor), Contains("llama.rope.scaling.factor is"));
  CHECK_THAT(set("llama.rope.scaling.factor", 0.5f), Contains("0.5, a finite number of at least"));
  CHECK_THAT(set("llama.rope.scaling.factor", std::string("2")), Contains("of another type"));
  CHECK_THAT(set("llama.rope.scaling.attn_factor", 1.5f), Contains("attn_factor: not supported"));
  CHECK_THAT(set("llama.rope.scale_linear", 2.0f), Contains("scale_linear: not supported"));
  CHECK_THAT(error_after([](GgufMetadata& metadata, Tensors&) {
               metadata["llama.rope.scaling.type"] = std::string("none");
               metadata["llama.rope.scaling.factor"] = 2.0f;
             }),
             Contains("type is none, but llama.rope.scaling.factor is 2"));
  CHECK_THAT(set("llama.rope.dimension_count", std::uint32_t{4}), Contains("dimension_count is 4"));
  CHECK_THAT(set("llama.attention.value_length", std::uint32_t{4}), Contains("value_length is 4"));
  CHECK_THAT(set("llama.block_count", std::uint32_t{3}), Contains("too few"));
  CHECK_THAT(set("llama.block_count", std::uint32_t{1}),
             Contains("blk.1.") && Contains("no place"));
  CHECK_THAT(set("llama.block_count", 1.5f), Contains("block_count is no integer"));
  CHECK_THAT(set("llama.vocab_size", std::uint32_t{7}), Contains("vocab_size"));
  CHECK_THAT(set("llama.rope.freq_base", -1.0f), Contains("freq_base"));
  CHECK_THAT(set("llama.embedding_length", std::uint32_t{0}), Contains("embedding_length is 0"));
  CHECK_THAT(set("llama.feed_forward_length", std::uint32_t{32}), Contains("ffn_gate"));
  CHECK_THAT(erase("llama.context_length"), Contains("context_length is missing"));
  CHECK_THAT(erase("llama.attention.layer_norm_rms_epsilon"), Contains("rms_epsilon is missing"));
  CHECK(erase("llama.vocab_size").empty());
  CHECK_THAT(error_after([](GgufMetadata&, Tensors& tensors) { tensors.pop_back(); }),
             Contains("no tensor output_norm.weight"));
  const auto divisors = [](std::vector<float> values, bool is_linear = false) {
    return error_after([&](GgufMetadata& metadata, Tensors& tensors) {
      if (is_linear) metadata["llama.rope.scaling.factor"] = 2.0f;
      tensors.push_back({"rope_freqs.weight", GgmlType::f32, {values.size()}, [values] {
                           return detail::floats_as(GgmlType::f32, values, "divisors");
                         }});
    });
  };
  CHECK(divisors({1, 2, 3, 4}).empty());
  CHECK_THAT(divisors({1, 2, 3}), Contains("rope_freqs.weight: has shape"));
  CHECK_THAT(divisors({1, 2, 0, 4}), Contains("divisor 2 of its rotary scaling is 0"));
  CHECK_THAT(divisors({1, -2, 3, 4}), Contains("divisor 1 of its rotary scaling is -2"));
  CHECK_THAT(divisors({1, 2, 3, 4}, true), Contains("rope_freqs.weight beside llama.rope"));
  CHECK_THAT(error_after([](GgufMetadata&, Tensors& tensors) {
               tensors.push_back(tensors[1]);
               tensors.back().name = "rope_factors_long.weight";
             }),
             Contains("rope_factors_long.weight: no place"));
}

TEST_CASE("GGUF: a tokenizer goes into the file and comes out again", "[io]") {
  const Llama2cTokenizer tokenizer = test::byte_tokenizer();
  const Vocabulary vocabulary = tokenizer.vocabulary();
  CHECK(vocabulary.pieces[1].text == "<s>");
  CHECK(vocabulary.pieces[3].kind == PieceKind::byte);
  CHECK(vocabulary.pieces[261].text ==
        "\xE2\x96\x81"
        "a");
  GgufMetadata metadata;
  detail::add_vocabulary(metadata, vocabulary);
  const test::TemporaryFolder folder;
  const auto read = [&] {
    write_gguf(folder / "f", metadata, {});
    return read_gguf_vocabulary(GgufFile(folder / "f"));
  };
  CHECK(read() == vocabulary);
  const Llama2cTokenizer again = llama2c_tokenizer(read(), "f");
  CHECK(again.pieces() == tokenizer.pieces());

  const auto error = [&](const char* key, GgufValue value) {
    const GgufMetadata before = metadata;
    metadata[std::string("tokenizer.ggml.") + key] = value;
    const std::string said = error_of([&] { llama2c_tokenizer(read(), "f"); });
    metadata = before;
    return said;
  };
  CHECK_THAT(error("model", std::string("gpt2")), Contains("gpt2"));
  CHECK_THAT(error("add_space_prefix", false), Contains("add_space_prefix"));
  CHECK_THAT(error("scores", GgufArray{std::vector<float>{1.0f}}), Contains("one length"));
  CHECK_THAT(error("token_type", GgufArray{std::vector<std::int32_t>(263, 7)}), Contains("is 7"));
  CHECK_THAT(error("token_type", GgufArray{std::vector<std::int32_t>(263, 4)}), Contains("kind 4"));
  CHECK_THAT(error("bos_token_id", std::uint32_t{300}), Contains("300, outside"));
  CHECK_THAT(error("bos_token_id", std::uint32_t{3}), Contains("not 0, 1, 2"));
}

TEST_CASE("GGUF: the vocabulary of a real file encodes as its SentencePiece twin", "[io]") {
  const auto data = test::data_folder();
  if (!data) return;
  const Llama2cTokenizer own =
      read_llama2c_tokenizer(*data / "tokenizers/llama2-tokenizer.bin", 32000);
  const Vocabulary vocabulary =
      read_gguf_vocabulary(GgufFile(*data / "gguf/ggml-vocab-llama-spm.gguf"));
  const Llama2cTokenizer theirs = llama2c_tokenizer(vocabulary, "gguf");
  for (const char* text :
       {"Hello, world!", "  two spaces\nand a line", "na\xC3\xAFve \xF0\x9F\x98\x80"})
    CHECK(theirs.encode(text, Bos::prepend) == own.encode(text, Bos::prepend));
}
