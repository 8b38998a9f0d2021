// SPDX-License-Identifier: MIT
// nn/kv_cache.test.cpp: rows by layer, and a capacity that holds.
#include <lrqat/nn/kv_cache.hpp>

#include <catch2/catch.hpp>
#include <support/tiny_llama.hpp>

TEST_CASE("KvCache: layers do not overlap, and there is room for the capacity only", "[nn]") {
  const lrqat::LlamaConfig config = lrqat::test::tiny_config();
  lrqat::KvCache<float> cache(config, 5);
  CHECK(cache.width() == 8);
  CHECK(cache.keys(1).data == cache.keys(0).data + 5 * 8);
  CHECK(cache.bytes() == 2 * 2 * 5 * 8 * sizeof(float));
  cache.append(3);
  CHECK(cache.length() == 3);
  CHECK_THROWS_WITH(cache.append(3), Catch::Contains("3 + 3 tokens, there is room for 5"));
  cache.clear();
  CHECK(cache.length() == 0);
  CHECK(lrqat::KvCache<float>(config).capacity() == config.context);
}
