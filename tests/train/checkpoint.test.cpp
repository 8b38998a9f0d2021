// SPDX-License-Identifier: MIT
// tests/train/checkpoint.test.cpp
#include <lrqat/train/checkpoint.hpp>

#include <lrqat/adapter/sparse_hadamard.hpp>

#include "support/temporary_folder.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

using lrqat::AdamW;
using lrqat::Progress;
using lrqat::Role;
using lrqat::test::TemporaryFolder;

namespace {

struct Run {
  std::vector<float> a{1, 2, 3}, grad_a{0.5f, -1, 0.25f}, s{0.125f}, grad_s{2};
  AdamW optimizer{{{"layers.0.wq.A", Role::adapter, a, grad_a}, {"scale", Role::scale, s, grad_s}}};

  std::vector<float> everything() {
    std::vector<float> all;
    for (const auto& tensor : lrqat::detail::checkpoint_tensors(optimizer))
      all.insert(all.end(), tensor.numbers.begin(), tensor.numbers.end());
    return all;
  }
};

}  // namespace

TEST_CASE("Checkpoint: everything comes back, bit for bit", "[train]") {
  const TemporaryFolder folder;
  const auto path = folder / "run.safetensors";
  Run saved, restored;
  for (int t = 0; t < 3; ++t) saved.optimizer.step();
  saved.a[1] = -0.0f;
  saved.a[2] = std::numeric_limits<float>::denorm_min();
  save_checkpoint(path, "w4 rank 8 \"seed\" 1", {7, 1.0 / 3.0}, saved.optimizer);
  const Progress progress = restore_checkpoint(path, "w4 rank 8 \"seed\" 1", restored.optimizer);
  CHECK(progress.step == 7);
  CHECK(progress.seconds == 1.0 / 3.0);
  CHECK(restored.optimizer.steps() == 3);
  CHECK(restored.everything() == saved.everything());
  CHECK(std::signbit(restored.a[1]));
  saved.optimizer.step();
  restored.optimizer.step();
  CHECK(restored.everything() == saved.everything());
}

TEST_CASE("Checkpoint: what a run keeps besides comes back, and must be there", "[train]") {
  const TemporaryFolder folder;
  const auto path = folder / "run.safetensors";
  Run run;
  std::vector<float> turns{1, 0, 3}, read(3);
  const std::vector<lrqat::KeptNumbers> saved{{"turns", turns}}, restored{{"turns", read}};
  save_checkpoint(path, "", {1, 0}, run.optimizer, saved);
  CHECK_THROWS_WITH(restore_checkpoint(path, "", run.optimizer), Catch::Contains("'kept/turns'"));
  restore_checkpoint(path, "", run.optimizer, restored);
  CHECK(read == turns);
  save_checkpoint(path, "", {1, 0}, run.optimizer);
  CHECK_THROWS_WITH(restore_checkpoint(path, "", run.optimizer, restored),
                    Catch::Contains("lacks the tensor 'kept/turns'"));
}

TEST_CASE("Checkpoint: another fingerprint is refused, both are named", "[train]") {
  const TemporaryFolder folder;
  const auto path = folder / "run.safetensors";
  Run run;
  save_checkpoint(path, "rank 8", {}, run.optimizer);
  const auto before = run.everything();
  CHECK_THROWS_WITH(restore_checkpoint(path, "rank 16", run.optimizer),
                    Catch::Contains("'rank 8'") && Catch::Contains("'rank 16'"));
  CHECK(run.everything() == before);
}

TEST_CASE("Checkpoint: other names and lengths are refused, nothing is half restored", "[train]") {
  const TemporaryFolder folder;
  const auto path = folder / "run.safetensors";
  Run run;
  run.optimizer.step();
  save_checkpoint(path, "", {1, 0}, run.optimizer);

  std::vector<float> a(3), s(2), more(1);
  AdamW longer({{"layers.0.wq.A", Role::adapter, a, a}, {"scale", Role::scale, s, s}});
  CHECK_THROWS_WITH(restore_checkpoint(path, "", longer),
                    Catch::Contains("scale") && Catch::Contains("1") && Catch::Contains("2"));
  AdamW fewer({{"layers.0.wq.A", Role::adapter, a, a}});
  CHECK_THROWS_WITH(restore_checkpoint(path, "", fewer),
                    Catch::Contains("has the tensor 'first_moment/scale'"));
  AdamW extra({{"layers.0.wq.A", Role::adapter, a, a},
               {"scale", Role::scale, std::span(s).first(1), std::span(s).first(1)},
               {"zero_point", Role::scale, more, more}});
  CHECK_THROWS_WITH(restore_checkpoint(path, "", extra),
                    Catch::Contains("lacks the tensor") && Catch::Contains("zero_point"));
  CHECK(a == std::vector<float>(3));
  CHECK(s == std::vector<float>(2));
  CHECK(longer.steps() == 0);
}

TEST_CASE("Checkpoint: coefficients at other places are refused", "[train]") {
  const TemporaryFolder folder;
  const auto path = folder / "run.safetensors";
  struct Adapter {
    lrqat::SparseHadamard<2>::state state;
    AdamW optimizer;
    explicit Adapter(std::uint64_t seed)
        : state({6, 40}, {.seed = seed}), optimizer(state.parameters()) {}
    void step() {
      optimizer.zero_gradients();
      std::vector<float> gradient(240, 0.5f), shared(state.shared_gradients());
      state.add({0, 0, 6, 40}, {gradient.data(), 6, 40});
      state.backward({0, 0, 6, 40}, {gradient.data(), 6, 40}, shared);
      state.reduce(shared);
      optimizer.step();
    }
    std::vector<float> coefficients() const {
      return {state.coefficients().begin(), state.coefficients().end()};
    }
  };
  Adapter run(1), resumed(1), other(2);
  run.step();
  save_checkpoint(path, "", {1, 0}, run.optimizer);
  restore_checkpoint(path, "", resumed.optimizer);
  run.step();
  resumed.step();
  CHECK(resumed.coefficients() == run.coefficients());
  CHECK_THROWS_WITH(restore_checkpoint(path, "", other.optimizer),
                    Catch::Contains("coefficients@"));
  CHECK(other.coefficients() == std::vector<float>(92));
}

TEST_CASE("Checkpoint: numbers that no run can have are neither written nor read", "[train]") {
  const TemporaryFolder folder;
  const auto path = folder / "run.safetensors";
  Run run;
  save_checkpoint(path, "", {1, 0}, run.optimizer);
  run.a[2] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(save_checkpoint(path, "", {2, 0}, run.optimizer),
                    Catch::Contains("step 2") && Catch::Contains("value/layers.0.wq.A[2] is inf"));
  Run again;
  CHECK(restore_checkpoint(path, "", again.optimizer).step == 1);

  // The same file, written with a tensor of a broken run.
  const auto write = [&](float value, float second_moment, const char* step) {
    const std::vector<float> a{1, 2, value}, v{0, 0, second_moment}, one{1};
    const auto bytes = [](const std::vector<float>& numbers) {
      return std::as_bytes(std::span(numbers));
    };
    const std::vector<lrqat::TensorToWrite> tensors{
        {"value/layers.0.wq.A", "F32", {3}, bytes(a)},
        {"first_moment/layers.0.wq.A", "F32", {3}, bytes(a)},
        {"second_moment/layers.0.wq.A", "F32", {3}, bytes(v)},
        {"value/scale", "F32", {1}, bytes(one)},
        {"first_moment/scale", "F32", {1}, bytes(one)},
        {"second_moment/scale", "F32", {1}, bytes(one)}};
    lrqat::write_safetensors(path, tensors,
                             {{"format", "lrqat.checkpoint.1"},
                              {"fingerprint", ""},
                              {"step", step},
                              {"updates", "1"},
                              {"seconds", "1"}});
  };
  const auto before = again.everything();
  write(std::numeric_limits<float>::quiet_NaN(), 0, "1");
  CHECK_THROWS_WITH(restore_checkpoint(path, "", again.optimizer),
                    Catch::Contains("layers.0.wq.A"));
  write(1, -1, "1");
  CHECK_THROWS_WITH(restore_checkpoint(path, "", again.optimizer),
                    Catch::Contains("second_moment/layers.0.wq.A[2] is -1"));
  write(1, 0, "1x");
  CHECK_THROWS_WITH(restore_checkpoint(path, "", again.optimizer), Catch::Contains("'1x'"));
  write(1, 0, "-1");
  CHECK_THROWS_WITH(restore_checkpoint(path, "", again.optimizer), Catch::Contains("'-1'"));
  write(1, 0, "18446744073709551615");  // the step after it would be number 0
  CHECK_THROWS_WITH(restore_checkpoint(path, "", again.optimizer), Catch::Contains("2^53"));
  CHECK(again.everything() == before);
  write(5, 0, "1");
  CHECK_NOTHROW(restore_checkpoint(path, "", again.optimizer));
  CHECK(again.a[2] == 5);
}

TEST_CASE("Checkpoint: what a hostile file says at length, its error repeats in short", "[train]") {
  const TemporaryFolder folder;
  const auto path = folder / "run.safetensors";
  const std::string endless = "\x1B[31m" + std::string(100000, 'x');
  const std::vector<lrqat::TensorToWrite> tensors{{endless, "F32", {0}, {}}};
  const std::map<std::string, std::string> good{{"format", "lrqat.checkpoint.1"},
                                                {"fingerprint", "w4"},
                                                {"step", "1"},
                                                {"updates", "1"},
                                                {"seconds", "1"}};
  Run run;
  for (const char* key : {"format", "fingerprint", "step", "updates", "seconds", "tensor's name"}) {
    auto metadata = good;
    if (metadata.count(key) != 0) metadata[key] = endless;
    lrqat::write_safetensors(path, tensors, metadata);
    INFO(key);
    std::string message;
    try {
      restore_checkpoint(path, "w4", run.optimizer);
    } catch (const lrqat::Error& error) {
      message = error.what();
    }
    CHECK_THAT(message, Catch::Contains("run.safetensors") && Catch::Contains("[31mxxx"));
    CHECK(message.size() < 1000);
    CHECK(message.find('\x1B') == std::string::npos);
  }
}

TEST_CASE("Checkpoint: a file of something else is named as such", "[train]") {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  lrqat::write_safetensors(path, {}, {});
  Run run;
  CHECK_THROWS_WITH(restore_checkpoint(path, "", run.optimizer),
                    Catch::Contains("not a checkpoint") && Catch::Contains("(none)"));
  CHECK_THROWS_AS(restore_checkpoint(folder / "missing", "", run.optimizer), lrqat::Error);
  CHECK_THROWS_AS(save_checkpoint(folder / "no/such/folder", "", {}, run.optimizer), lrqat::Error);
}
