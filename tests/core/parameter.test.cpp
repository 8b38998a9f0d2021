// SPDX-License-Identifier: MIT
// tests/core/parameter.test.cpp
#include <lrqat/core/parameter.hpp>

#include <catch2/catch.hpp>

#include <vector>

TEST_CASE("append_prefixed: names get the prefix, order and spans stay", "[core]") {
  std::vector<float> a{1, 2}, grad_a{0, 0}, b{3}, grad_b{0};
  lrqat::Parameters<float> layer{{"A", lrqat::Role::adapter, a, grad_a},
                                 {"scale", lrqat::Role::scale, b, grad_b}};
  lrqat::Parameters<float> all{{"embedding", lrqat::Role::embedding, {}, {}}};
  lrqat::append_prefixed(all, "layers.0.wq", layer);
  REQUIRE(all.size() == 3);
  CHECK(all[0].name == "embedding");
  CHECK(all[1].name == "layers.0.wq.A");
  CHECK(all[1].role == lrqat::Role::adapter);
  CHECK(all[1].value.data() == a.data());
  CHECK(all[1].gradient.data() == grad_a.data());
  CHECK(all[2].name == "layers.0.wq.scale");
  CHECK(all[2].role == lrqat::Role::scale);
  CHECK(all[2].value.size() == 1);
}

TEST_CASE("append_prefixed: prefixes nest", "[core]") {
  std::vector<double> w(4), grad(4);
  lrqat::Parameters<double> block, model;
  lrqat::append_prefixed(block, "wo", lrqat::Parameters<double>{{"weight", {}, w, grad}});
  lrqat::append_prefixed(model, "layers.7", block);
  REQUIRE(model.size() == 1);
  CHECK(model[0].name == "layers.7.wo.weight");
  model[0].gradient[2] = 5;
  CHECK(grad[2] == 5);
}
