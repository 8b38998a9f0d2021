// SPDX-License-Identifier: MIT
// nn/perplexity.test.cpp: the windows of the protocol, and published numbers of real checkpoints.
#include <lrqat/nn/perplexity.hpp>

#include <lrqat/io/llama2c.hpp>
#include <lrqat/io/npy.hpp>
#include <lrqat/io/token_stream.hpp>
#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/nn/llama.hpp>

#include <catch2/catch.hpp>
#include <support/data.hpp>
#include <support/finite_difference.hpp>
#include <support/tiny_llama.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace {

using Model = lrqat::Llama<lrqat::DenseLinear<float>>;

Model frozen(const lrqat::LlamaWeights& weights) {
  return {weights, [](lrqat::MatrixView<const float> weight, const lrqat::LinearName&) {
            lrqat::DenseOptions options;
            options.training = lrqat::Training::frozen;
            return lrqat::DenseLinear<float>(weight, options);
          }};
}

struct Checkpoint {
  std::string name, file;
  double perplexity40;  // of the first 40 windows of ts3000-test
};
const std::vector<Checkpoint> checkpoints{
    {"stories260K", "tinyllamas/stories260K.bin", 3.8450},
    {"babyllama-tok361", "babyllama/babyllama-tok361.bin", 2.0712}};

}  // namespace

TEST_CASE("perplexity: windows do not overlap, targets follow their inputs", "[nn]") {
  Model model = frozen(lrqat::test::random_llama(lrqat::test::tiny_config(), 5));
  const auto tokens = lrqat::test::random_tokens(16 * 7 + 16, 19, 3);  // the last is not full
  double sum = 0;
  for (std::size_t window = 0; window < 7; ++window) {
    std::vector<double> nll(16);
    model.loss(std::span(tokens).subspan(window * 16, 16),
               std::span(tokens).subspan(window * 16 + 1, 16), 1, 16, nll);
    double in_window = 0;
    for (const double loss : nll) in_window += loss;
    sum += in_window;
  }
  for (const std::size_t at_once : {1u, 3u, 7u, 100u}) {
    std::vector<std::size_t> done;
    lrqat::PerplexityOptions options;
    options.at_once = at_once;
    const auto result =
        lrqat::perplexity(model, tokens, options, [&](std::size_t windows, std::size_t all) {
          CHECK(all == 7);
          done.push_back(windows);
        });
    CHECK(result.windows == 7);
    CHECK(result.targets == 112);
    CHECK(result.nll == sum / 112);
    CHECK(result.perplexity == std::exp(result.nll));
    CHECK(done.back() == 7);
  }
  lrqat::PerplexityOptions options;
  options.windows = 2;
  options.context = 5;
  CHECK(lrqat::perplexity(model, tokens, options).targets == 10);
  options.windows = 0;
  CHECK(lrqat::perplexity(model, tokens, options).windows == 25);
  CHECK_THROWS_WITH(lrqat::perplexity(model, std::span(tokens).first(16)),
                    Catch::Contains("16 tokens") && Catch::Contains("needs 17"));
}

TEST_CASE("perplexity: real checkpoints have the logits and losses of an independent program",
          "[nn]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  for (const Checkpoint& checkpoint : checkpoints) {
    INFO(checkpoint.name);
    Model model = frozen(lrqat::read_llama2c(*data / checkpoint.file));
    const std::string golden = (*data / "golden" / checkpoint.name).string();
    const auto ids = lrqat::read_npy<std::int32_t>(golden + "_tokens.npy");
    const auto logits = lrqat::read_npy<float>(golden + "_logits.npy");
    const auto nll = lrqat::read_npy<double>(golden + "_nll.npy");
    std::vector<std::uint16_t> tokens;
    for (const std::int32_t id : ids.values) tokens.push_back(static_cast<std::uint16_t>(id));
    const std::size_t length = tokens.size() - 1, vocab = model.config().vocab;
    REQUIRE(logits.shape == std::vector<std::size_t>{length, vocab});
    REQUIRE(nll.values.size() == length);
    lrqat::test::Tensor<float> got(length, vocab);
    model.forward(std::span(tokens).first(length), 1, length, got.view());
    std::vector<double> got_nll(length);
    model.loss(std::span(tokens).first(length), std::span(tokens).last(length), 1, length, got_nll);
    double worst = 0, worst_nll = 0, largest = 0;
    for (std::size_t i = 0; i < got.values.size(); ++i) {
      worst = std::max(worst, std::abs(double{got.values[i]} - double{logits.values[i]}));
      largest = std::max(largest, std::abs(double{logits.values[i]}));
    }
    for (std::size_t t = 0; t < length; ++t)
      worst_nll = std::max(worst_nll, std::abs(got_nll[t] - nll.values[t]));
    // Two float programs that add in different orders: about the root of the 9 products of 5 to 7
    // blocks times their mean length of some hundred, in roundings of the largest logit. A loss is
    // a difference of two numbers of that size.
    const double bound = 100 * 0x1p-24 * largest;
    CHECK(worst <= bound);
    CHECK(worst_nll <= 2 * bound);
  }
}

TEST_CASE("perplexity: real checkpoints reach their published numbers", "[nn]") {
  const auto data = lrqat::test::data_folder();
  if (!data) return;
  for (const Checkpoint& checkpoint : checkpoints) {
    INFO(checkpoint.name);
    Model model = frozen(lrqat::read_llama2c(*data / checkpoint.file));
    const auto tokens = lrqat::read_token_stream(
        *data / "tokens" / checkpoint.name / "ts3000-test.u16", model.config().vocab);
    lrqat::PerplexityOptions options;
    options.windows = 40;
    // Published with four decimals.
    CHECK(std::abs(lrqat::perplexity(model, tokens, options).perplexity -
                   checkpoint.perplexity40) <= 0.5e-4 + 1e-5);
    const auto wanted =
        lrqat::read_npy<double>(*data / "golden" / (checkpoint.name + "_window_nll.npy"));
    for (std::size_t window = 0; window < wanted.values.size(); ++window) {
      const std::size_t length = model.config().context;
      const double mean =
          model.loss(std::span(tokens).subspan(window * length, length),
                     std::span(tokens).subspan(window * length + 1, length), 1, length);
      // They are sums over the window; 1e-5 is how well independent programs agree on a mean.
      CHECK(std::abs(mean - wanted.values[window] / static_cast<double>(length)) <= 1e-5);
    }
  }
}
