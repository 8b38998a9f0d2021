// SPDX-License-Identifier: MIT
// tests/fuzz/seeds.cpp: writes the corpus that fuzzing starts from: small good files, made by the
// library's own writers.
//
//   make_seeds <folder>    makes <folder>/<target>/<name>
#include "targets.hpp"
#include "training_run.hpp"

#include "io/hugging_face_folder.hpp"
#include "io/llama2c_int8.hpp"
#include "io/npy_file.hpp"
#include "io/plain_files.hpp"
#include "io/small_llama.hpp"
#include "io/small_sentencepiece.hpp"
#include "io/small_tokenizer.hpp"

#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/io/gguf_llama.hpp>
#include <lrqat/io/llama2c.hpp>
#include <lrqat/io/packed_hugging_face.hpp>
#include <lrqat/io/token_stream.hpp>
#include <lrqat/train/step_log.hpp>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

using namespace lrqat;
using test::read_plainly;

namespace {

/// A folder of seeds for one target.
class Corpus {
 public:
  Corpus(const std::filesystem::path& root, const char* target) : folder_(root / target) {
    std::filesystem::create_directories(folder_);
  }
  std::filesystem::path operator/(std::string_view name) const { return folder_ / name; }
  void add(std::string_view name, std::string_view bytes) const {
    test::write_plainly(folder_ / name, bytes);
  }

 private:
  std::filesystem::path folder_;
};

template <class Number>
std::string number_bytes(Number number) {
  std::string bytes;
  detail::append_number(bytes, number);
  return bytes;
}

void make_llama2c(const Corpus& corpus) {
  write_llama2c(corpus / "tied", test::small_llama(true));
  write_llama2c(corpus / "untied", test::small_llama(false));
  corpus.add("int8", test::llama2c_int8(test::small_llama(false), 4));
}

void make_tokenizer(const Corpus& corpus) {
  const auto add = [&](const char* name, const Llama2cTokenizer& tokenizer) {
    write_llama2c_tokenizer(corpus / name, tokenizer);
    const auto size = static_cast<std::uint16_t>(tokenizer.vocab_size());
    corpus.add(name, number_bytes(size) + read_plainly(corpus / name));
  };
  add("bytes", test::byte_tokenizer());
  add("merges", Llama2cTokenizer({{"<unk>"},
                                  {"\n<s>\n"},
                                  {"\n</s>\n"},
                                  {" "},
                                  {"a"},
                                  {"b"},
                                  {"ab", 1},
                                  {" a", 2},
                                  {" ab", 3},
                                  {"abab", -1}}));
}

void make_npy(const Corpus& corpus) {
  const auto header = [](const char* dtype, const char* shape) {
    return std::string("{'descr': '") + dtype + "', 'fortran_order': False, 'shape': " + shape +
           ", } \n";
  };
  corpus.add("float", test::npy_file(1, header("<f4", "(3, 2)")) + std::string(24, 'x'));
  corpus.add("int8", test::npy_file(2, header("|i1", "(5,)")) + std::string(5, 'x'));
  corpus.add("number", test::npy_file(1, header("<u8", "()")) + std::string(8, 'x'));
}

void make_token_stream(const Corpus& corpus) {
  write_token_stream(corpus / "tokens", std::vector<Token>{1, 259, 261, 4, 1, 262});
  corpus.add("texts",
             "One day, a a\n<|endoftext|>\n\xC3\xA4 \n\n<|endoftext|>\n<|endoftext|>\nend");
}

void make_safetensors(const Corpus& corpus) {
  const std::vector<std::byte> bytes(24);
  const auto first = [&](std::size_t size) { return std::span(bytes).first(size); };
  write_safetensors(corpus / "dtypes",
                    std::vector<TensorToWrite>{{"F64", "F64", {3}, first(24)},
                                               {"F32", "F32", {2, 3}, first(24)},
                                               {"F16", "F16", {2, 1}, first(4)},
                                               {"BF16", "BF16", {}, first(2)},
                                               {"I8", "I8", {0, 7}, {}},
                                               {"BOOL", "BOOL", {5}, first(5)}},
                    {{"format", "pt"}, {"a \"quoted\" \xC3\xA4", "\n"}});
  write_safetensors(corpus / "empty", std::vector<TensorToWrite>{});
}

void make_checkpoint(const Corpus& corpus) {
  fuzz::TrainingRun run;
  save_checkpoint(corpus / "first", run.fingerprint, {}, run.optimizer);
  for (int step = 0; step < 3; ++step) run.optimizer.step();
  save_checkpoint(corpus / "third", run.fingerprint, {3, 0.25}, run.optimizer);
}

void make_step_log(const Corpus& corpus) {
  const test::TemporaryFolder folder;
  StepLog log(folder / "log", 0);
  for (std::uint64_t step = 1; step <= 3; ++step) log.append({.step = step, .steps = 3});
  corpus.add("whole", "\3" + read_plainly(folder / "log"));
  corpus.add("torn", "\2" + read_plainly(folder / "log") + "{\"step\":4,\"lo");
}

std::string config_text(bool tied_head) {
  return test::hugging_face_config(test::small_llama(tied_head).config).dump();
}

void make_hugging_face_config(const Corpus& corpus) {
  corpus.add("tied", config_text(true));
  nlohmann::json newer = nlohmann::json::parse(config_text(false));
  newer.erase("rope_theta");
  newer.erase("rope_scaling");
  newer["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 500000.0}};
  newer["layer_types"] = {"full_attention", "full_attention"};
  newer["partial_rotary_factor"] = 1.0;
  newer["sliding_window"] = nullptr;
  corpus.add("newer", newer.dump(1));
  newer["rope_parameters"] = {{"rope_type", "llama3"},
                              {"factor", 8.0},
                              {"low_freq_factor", 1.0},
                              {"high_freq_factor", 4.0},
                              {"original_max_position_embeddings", 8192}};
  corpus.add("llama3", newer.dump());
  nlohmann::json linear = nlohmann::json::parse(config_text(true));
  linear["rope_scaling"] = {{"type", "linear"}, {"factor", 2.5}};
  corpus.add("linear", linear.dump());
}

void make_hugging_face(const Corpus& corpus) {
  const std::string separator = fuzz::file_separator;
  for (const bool tied_head : {true, false}) {
    const test::TemporaryFolder folder;
    const LlamaWeights weights = test::small_llama(tied_head);
    const auto stored = test::hugging_face_tensors<bf16>(weights, "BF16");
    test::write_shards(folder.path(), stored.tensors, tied_head ? 1 : 2);
    const std::string config = config_text(tied_head) + separator;
    if (tied_head) {
      corpus.add("single", config + separator + read_plainly(folder / "model.safetensors"));
    } else {
      corpus.add("shards", config + read_plainly(folder / "model.safetensors.index.json") +
                               separator + read_plainly(folder / "model-1.safetensors") +
                               separator + read_plainly(folder / "model-2.safetensors"));
    }
  }
}

/// Queries on an unsigned grid of 3 bits, groups of 5; keys and values per channel, 4 bits; one
/// scale for each other layer.
void make_packed_hugging_face(const Corpus& corpus) {
  const LlamaWeights weights = test::small_llama(false);
  const LlamaFrame<float> frame(weights);
  std::vector<AnyLinear> layers;
  detail::for_each_linear_name(weights.config, [&](const LinearName& which) {
    const Shape shape = linear_shape(weights.config, which.kind);
    const bool is_query = which.kind == LinearKind::query;
    const bool is_key = which.kind == LinearKind::key || which.kind == LinearKind::value;
    MergedWeight weight{.shape = shape, .bits = is_query ? 3 : 4, .code_min = is_query ? 0 : -8};
    weight.layout = is_query ? ScaleLayout{{shape.rows, (shape.cols + 4) / 5}, 5}
                             : ScaleLayout{{is_key ? shape.rows : 1, 1}, shape.cols};
    weight.has_zero_point = is_query;
    weight.scales.assign(weight.layout.size(), is_key ? 0.1f : 0.5f);
    if (is_query) weight.zero_points.assign(weight.layout.size(), 2.0f);
    weight.codes.assign(shape.size(), 3);
    if (is_query)
      layers.emplace_back(merged_linear<MergedLinear<UInt<3>>>(weight));
    else
      layers.emplace_back(merged_linear<MergedLinear<Int<4>>>(weight));
  });
  const test::TemporaryFolder folder;
  write_packed_hugging_face(folder.path(), {frame, [&](const LinearName& which) -> const AnyLinear& {
                                              return layers[which.block * linear_kinds.size() +
                                                            static_cast<std::size_t>(which.kind)];
                                            }});
  corpus.add("codes", read_plainly(folder / "config.json") + fuzz::file_separator +
                          read_plainly(folder / "model.safetensors"));
}

void make_sentencepiece(const Corpus& corpus) {
  corpus.add("unigram", test::unigram_model());
  corpus.add("bpe", test::bpe_model());
  corpus.add("bytes", test::byte_model());
}

/// Written by hand, so that also what the library never writes is there.
void make_gguf(const Corpus& corpus) {
  const auto text = [](std::string_view t) {
    return number_bytes(std::uint64_t{t.size()}) + std::string(t);
  };
  const auto value = [&](std::string_view key, std::uint32_t type, const std::string& bytes) {
    return text(key) + number_bytes(type) + bytes;
  };
  const auto list = [&](std::uint32_t type, std::uint64_t count, const std::string& elements) {
    return number_bytes(type) + number_bytes(count) + elements;
  };
  const auto head = [&](std::uint64_t tensors, std::uint64_t values) {
    return "GGUF" + number_bytes(std::uint32_t{3}) + number_bytes(tensors) + number_bytes(values);
  };
  // Columns and rows; types are 0 F32, 1 F16, 2 Q4_0, 3 Q4_1, 8 Q8_0.
  const auto tensor = [&](std::string_view name, std::uint64_t cols, std::uint64_t rows,
                          std::uint32_t type, std::uint64_t offset) {
    return text(name) + number_bytes(std::uint32_t{2}) + number_bytes(cols) + number_bytes(rows) +
           number_bytes(type) + number_bytes(offset);
  };
  corpus.add("values",
             head(0, 6) + value("general.architecture", 8, text("llama")) +
                 value("general.alignment", 4, number_bytes(std::uint32_t{8})) +
                 value("theta", 6, number_bytes(10000.0f)) + value("flag", 7, "\x01") +
                 value("tokens", 9, list(8, 2, text("<unk>") + text("a"))) +
                 value("scores", 9, list(6, 2, number_bytes(0.0f) + number_bytes(-1.0f))));
  std::string tensors = head(5, 1) + value("general.alignment", 4, number_bytes(std::uint32_t{8})) +
                        tensor("f32", 3, 2, 0, 0) + tensor("f16", 4, 1, 1, 24) +
                        tensor("q4_0", 32, 1, 2, 32) + tensor("q4_1", 32, 1, 3, 56) +
                        tensor("q8_0", 32, 1, 8, 80);
  tensors.resize((tensors.size() + 7) / 8 * 8);
  corpus.add("tensors", tensors + std::string(80 + 34, '\1'));
}

/// Matrices of 32 columns in every type; each number is finite and positive, whatever its type.
void make_gguf_llama(const Corpus& corpus, std::string_view name, const RopeScaling& scaling) {
  const LlamaConfig config{.dim = 32,
                           .hidden_dim = 32,
                           .layers = 1,
                           .heads = 2,
                           .kv_heads = 1,
                           .head_dim = 16,
                           .vocab = 4,
                           .context = 8,
                           .rope_scaling = scaling};
  GgufMetadata metadata;
  detail::add_config(metadata, config);
  detail::add_vocabulary(metadata,
                         Llama2cTokenizer({{"<unk>"}, {"<s>"}, {"</s>"}, {" a", -1}}).vocabulary());
  std::vector<GgufTensorToWrite> tensors;
  const auto add = [&](const std::string& name, GgmlType type, std::vector<std::size_t> shape) {
    const std::size_t size = detail::ggml_bytes(type, shape);
    tensors.push_back({name, type, std::move(shape),
                       [=] { return AlignedVector<std::byte>(size, std::byte{17}); }});
  };
  add("token_embd.weight", GgmlType::f16, {config.vocab, config.dim});
  add("output_norm.weight", GgmlType::f32, {config.dim});
  if (detail::has_rope_divisors(config))
    add(detail::rope_divisors_tensor, GgmlType::f32, {config.head_dim / 2});
  for (const detail::BlockTensor& tensor : detail::block_tensors) {
    const GgmlType type = tensor.name == "query" ? GgmlType::q4_0
                          : tensor.name == "key" ? GgmlType::q4_1
                          : tensor.name == "up"  ? GgmlType::f32
                                                 : GgmlType::q8_0;
    const std::size_t cols = detail::extent(config, tensor.cols);
    if (tensor.rows == detail::Extent::one)
      add(detail::gguf_name(0, tensor), GgmlType::f32, {cols});
    else
      add(detail::gguf_name(0, tensor), type, {detail::extent(config, tensor.rows), cols});
  }
  write_gguf(corpus / name, metadata, tensors);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "make_seeds <folder>: the folder that gets a corpus for each target\n");
    return 2;
  }
  const std::filesystem::path root = argv[1];
  make_llama2c({root, "llama2c"});
  make_tokenizer({root, "llama2c_tokenizer"});
  make_npy({root, "npy"});
  make_token_stream({root, "token_stream"});
  make_safetensors({root, "safetensors"});
  make_checkpoint({root, "checkpoint"});
  make_step_log({root, "step_log"});
  make_hugging_face_config({root, "hugging_face_config"});
  make_hugging_face({root, "hugging_face"});
  make_packed_hugging_face({root, "packed_hugging_face"});
  make_gguf({root, "gguf"});
  make_gguf_llama({root, "gguf_llama"}, "all_types", {});
  make_gguf_llama({root, "gguf_llama"}, "linear", LinearRopeScaling{2.0f});
  make_gguf_llama({root, "gguf_llama"}, "divisors", Llama3RopeScaling{});
  make_sentencepiece({root, "sentencepiece"});
}
