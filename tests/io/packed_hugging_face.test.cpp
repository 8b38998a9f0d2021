// SPDX-License-Identifier: MIT
// tests/io/packed_hugging_face.test.cpp: exported Hugging Face folders, with codes and with floats.
#include <lrqat/io/packed_hugging_face.hpp>

#include "mixed_llama.hpp"
#include "plain_files.hpp"

#include <support/data.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace lrqat;
using Catch::Contains;
using lrqat::test::error_of;
using lrqat::test::MixedLlama;
using lrqat::test::TemporaryFolder;

namespace {

/// Grids, groups and scales that no other format holds, beside a plain layer.
MixedLlama odd_llama(bool tied) {
  MixedLlama model(tied);
  const LlamaConfig& config = model.frame.config;
  const auto shape = [&](LinearKind kind) { return linear_shape(config, kind); };
  MergedWeight odd = merged_weight(test::random_merged<Int<3>>(shape(LinearKind::query), 7, 1));
  for (float& scale : odd.scales) scale *= 1.1f;  // no halves
  model.layers[0] = AnyLinear(merged_linear<MergedLinear<Int<3>>>(odd));
  model.layers[1] = AnyLinear(test::random_merged<UInt<8>>(shape(LinearKind::key), 32, 2));
  MergedLinear<UInt<2>> shared(shape(LinearKind::value), {{1, 1}, config.dim},
                               std::vector<float>{0.5f}, std::vector<float>{3.0f}, {});
  for (std::size_t j = 0; j < config.dim; ++j) shared.set_code(1, j, static_cast<int>(j % 4));
  model.layers[2] = AnyLinear(shared);
  return model;
}

void check_equal(const MergedWeight& a, const MergedWeight& b) {
  CHECK(a.shape == b.shape);
  CHECK(a.layout == b.layout);
  CHECK(a.bits == b.bits);
  CHECK(a.code_min == b.code_min);
  CHECK(a.has_zero_point == b.has_zero_point);
  CHECK(a.codes == b.codes);
  CHECK(a.scales == b.scales);
  CHECK(a.zero_points == b.zero_points);
}

}  // namespace

TEST_CASE("Packed safetensors: codes, scales and floats come back bit for bit", "[io]") {
  for (const bool tied : {true, false}) {
    const TemporaryFolder folder;
    const MixedLlama model = odd_llama(tied);
    write_packed_hugging_face(folder / "new/folder", model.to_store());
    REQUIRE(is_packed_hugging_face(folder / "new/folder"));
    const StoredLlama read = read_packed_hugging_face(folder / "new/folder");
    CHECK(test::same_bits(read.weights, model.dequantized()));
    detail::for_each_linear_name(read.weights.config, [&](const LinearName& which) {
      CAPTURE(which.text());
      const AnyLinear& layer = model.to_store().layer(which);
      REQUIRE((read.layer(which) != nullptr) == layer.is_merged());
      if (layer.is_merged()) check_equal(*read.layer(which), layer.merged_weight());
    });
    const SafetensorsFile file(folder / "new/folder/model.safetensors");
    CHECK(file.at("model.layers.0.self_attn.q_proj.scales").dtype == "F32");
    CHECK(file.at("model.layers.1.self_attn.q_proj.scales").dtype == "F16");
    CHECK(file.at("model.layers.0.self_attn.q_proj.codes").shape ==
          std::vector<std::size_t>{32, 12});
    CHECK(file.metadata().at("model.layers.0.self_attn.q_proj") ==
          R"({"bits":3,"group":7,"shape":[32,32],"signed":true})");
  }
}

TEST_CASE("Packed safetensors: rows lie as Packed lays them out", "[io]") {
  const auto merged = test::random_merged<Int<5>>({3, 13}, 13, 4);
  const MergedWeight weight = merged_weight(merged);
  const auto bytes = detail::pack_codes(weight.codes, 13, 5);
  AlignedVector<std::byte> expected(3 * Packed::bound_to<Int<5>>::bytes_per_row(13));
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 13; ++j)
      Packed::bound_to<Int<5>>::store(expected.data() + i * expected.size() / 3, j,
                                      merged.code(i, j));
  CHECK(bytes == expected);
  CHECK(detail::unpack_codes(bytes, 3, 13, 5, true) == weight.codes);
}

TEST_CASE("Hugging Face export: F32 comes back bit for bit, 16 bits rounded once", "[io]") {
  for (const bool tied : {true, false}) {
    const TemporaryFolder folder;
    const MixedLlama model = odd_llama(tied);
    const LlamaWeights exact = model.dequantized();
    write_hugging_face(folder / "f32", model.to_store());
    CHECK(test::same_bits(read_hugging_face(folder / "f32"), exact));
    write_hugging_face(folder / "bf16", model.to_store(), HuggingFaceFloats::bf16);
    write_hugging_face(folder / "f16", model.to_store(), HuggingFaceFloats::f16);
    LlamaWeights in_bf16 = exact, in_f16 = exact;
    const auto round = [](LlamaWeights& weights, auto narrow) {
      test::visit_pairs(weights, weights, [&](const auto& values, const auto&, const auto&) {
        for (const float& value : values) const_cast<float&>(value) = narrow(value);
      });
    };
    round(in_bf16, [](float value) { return static_cast<float>(bf16(value)); });
    round(in_f16, [](float value) { return static_cast<float>(half(value)); });
    CHECK(test::same_bits(read_hugging_face(folder / "bf16"), in_bf16));
    CHECK(test::same_bits(read_hugging_face(folder / "f16"), in_f16));
  }
}

TEST_CASE("Hugging Face export: rotary scaling comes back, with codes and with floats", "[io]") {
  const TemporaryFolder folder;
  MixedLlama model = odd_llama(true);
  RopeScaling& scaling = model.frame.config.rope_scaling;
  for (const RopeScaling& each : {RopeScaling(), RopeScaling(LinearRopeScaling{1.1f}),
                                  RopeScaling(Llama3RopeScaling{32.0f, 0.9f, 4.1f, 777})}) {
    scaling = each;
    write_hugging_face(folder / "plain", model.to_store());
    write_packed_hugging_face(folder / "packed", model.to_store());
    CHECK(read_hugging_face(folder / "plain").config == model.frame.config);
    CHECK(read_packed_hugging_face(folder / "packed").weights.config == model.frame.config);
  }
  const std::string before = test::read_plainly(folder / "plain/model.safetensors");
  model.frame.final_norm.value[0] += 1.0f;
  scaling = RopeDivisors{{1.0f, 2.0f, 4.0f, 8.0f}};
  CHECK_THAT(error_of([&] { write_hugging_face(folder / "plain", model.to_store()); }),
             Contains("no key for divisors") && Contains("Llama3RopeScaling"));
  CHECK_THAT(error_of([&] { write_packed_hugging_face(folder / "x", model.to_store()); }),
             Contains("no key for divisors"));
  CHECK(test::read_plainly(folder / "plain/model.safetensors") == before);
  CHECK_FALSE(std::filesystem::exists(folder / "x"));
}

TEST_CASE("Hugging Face export: an independent reader sees the same weights in both folders",
          "[io]") {
  if (std::system("python3 -c 'import json, struct' > /dev/null 2>&1") != 0)
    return test::report_skipped("there is no python3");
  const TemporaryFolder folder;
  const MixedLlama model = odd_llama(false);
  write_packed_hugging_face(folder / "packed", model.to_store());
  write_hugging_face(folder / "plain", model.to_store());
  const std::string command = "python3 '" LRQAT_SOURCE_DIR "/tests/io/read_safetensors.py' '" +
                              (folder / "packed").string() + "' '" + (folder / "plain").string() +
                              "' > '" + (folder / "out").string() + "' 2>&1";
  const int code = std::system(command.c_str());
  CAPTURE(test::read_plainly(folder / "out"));
  CHECK(code == 0);
  // 3 tensors of the frame, 2 norms and 7 layers a block, 11 of the 14 layers quantized.
  CHECK(test::read_plainly(folder / "out") == "equal 21 12\n");
}

TEST_CASE("Packed safetensors: an ordinary reader refuses them, and they an ordinary folder",
          "[io]") {
  const TemporaryFolder folder;
  const MixedLlama model(true);
  write_packed_hugging_face(folder / "packed", model.to_store());
  write_hugging_face(folder / "plain", model.to_store());
  CHECK_THAT(error_of([&] { read_hugging_face(folder / "packed"); }),
             Contains("quantization_config"));
  CHECK_THAT(error_of([&] { read_packed_hugging_face(folder / "plain"); }),
             Contains("lrqat.packed.1"));
}

TEST_CASE("Packed safetensors: descriptions that do not fit are errors that name the layer",
          "[io]") {
  const TemporaryFolder folder;
  write_packed_hugging_face(folder.path(), MixedLlama(true).to_store());
  const std::string good = test::read_plainly(folder / "model.safetensors");
  const auto error = [&](const std::string& from, const std::string& to) {
    std::string bytes = good;
    const std::size_t at = bytes.find(from);
    REQUIRE(at != std::string::npos);
    REQUIRE(from.size() == to.size());
    test::write_plainly(folder / "model.safetensors", bytes.replace(at, from.size(), to));
    return error_of([&] { read_packed_hugging_face(folder.path()); });
  };
  const std::string bits = R"({\"bits\":4)", q = "model.layers.0.";
  CHECK_THAT(error(bits, R"({\"bits\":0)"), Contains(q) && Contains("bits"));
  CHECK_THAT(error(bits, R"({\"bits\":9)"), Contains(q) && Contains("bits"));
  CHECK_THAT(error(bits, R"({\"bits\":5)"), Contains(q) && Contains("codes"));
  CHECK_THAT(error(R"(\"group\":32)", R"(\"group\":16)"), Contains(q) && Contains("scales"));
  CHECK_THAT(error(R"(\"group\":32)", R"(\"group\":99)"), Contains(q) && Contains("group"));
  CHECK_THAT(error(R"(\"signed\":true)", R"(\"signed\":1   )"), Contains("signed"));
  CHECK_THAT(error(R"(\"shape\":[)", R"(\"shape\":7)"), Contains(q));
  CHECK_THAT(error(".codes", ".coded"), Contains("no tensor") || Contains("no place"));
}
