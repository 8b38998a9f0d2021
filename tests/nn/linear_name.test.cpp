// SPDX-License-Identifier: MIT
// nn/linear_name.test.cpp: names, shapes and matrices of the linear layers.
#include <lrqat/nn/linear_name.hpp>

#include <catch2/catch.hpp>
#include <support/tiny_llama.hpp>

TEST_CASE("LinearName: readable, and every kind has its matrix and shape", "[nn]") {
  CHECK(lrqat::LinearName{3, lrqat::LinearKind::up}.text() == "blocks.3.up");
  const auto config = lrqat::test::tiny_config();
  const auto weights = lrqat::test::random_llama(config, 1);
  for (const lrqat::LinearKind kind : lrqat::linear_kinds)
    CHECK(lrqat::linear_weight(weights.blocks[0], kind).size() ==
          lrqat::linear_shape(config, kind).size());
  CHECK(lrqat::linear_shape(config, lrqat::LinearKind::key) == lrqat::Shape{8, 12});
  CHECK(lrqat::linear_shape(config, lrqat::LinearKind::down) == lrqat::Shape{12, 20});
  CHECK(&lrqat::linear_weight(weights.blocks[1], lrqat::LinearKind::gate) ==
        &weights.blocks[1].gate);
}
