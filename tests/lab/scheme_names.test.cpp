// SPDX-License-Identifier: MIT
// tests/lab/scheme_names.test.cpp: names of schemes, read, written, and told from near ones.
#include "lab/scheme_names.hpp"

#include "lab/known_schemes.hpp"

#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <string>

using namespace lrqat::lab;

TEST_CASE("Scheme names: the parts of a name are read", "[lab]") {
  const Scheme plain = parse_scheme("w4-pc-q4.4-r32");
  CHECK(plain == Scheme{.method = Method::lr_qat, .bits = 4, .rank = 32});
  CHECK(parse_scheme("fp32") == Scheme{});
  CHECK(parse_scheme("fp32-tuned").method == Method::fp32_tuned);
  CHECK(parse_scheme("w3-g64-q3.5-r8") == Scheme{.method = Method::lr_qat,
                                                 .bits = 3,
                                                 .sharing = Sharing::group,
                                                 .group_size = 64,
                                                 .rank = 8});
  CHECK(parse_scheme("u2-g32c-int2-r8-l3.5") == Scheme{.method = Method::lr_qat,
                                                       .bits = 2,
                                                       .zero_point = true,
                                                       .sharing = Sharing::group,
                                                       .group_size = 32,
                                                       .channel_where_odd = true,
                                                       .base = Base::packed,
                                                       .rank = 8,
                                                       .range = RangeSetter::l3_5});
  CHECK(parse_scheme("w8-pt-rtn-minmax") == Scheme{.method = Method::rtn,
                                                   .bits = 8,
                                                   .sharing = Sharing::tensor,
                                                   .range = RangeSetter::min_max});
  CHECK(parse_scheme("w4-pc-wd").weight_domain);
  CHECK(parse_scheme("w4-pc-lsq").method == Method::full_qat);
  CHECK(parse_scheme("w8-pc-q8.0-r4").bits == 8);
}

TEST_CASE("Scheme names: bits of activations follow those of weights", "[lab]") {
  CHECK(parse_scheme("w4a8-pc-q4.4-r32") == Scheme{.method = Method::lr_qat,
                                                   .bits = 4,
                                                   .activation_bits = 8,
                                                   .cache_bits = 8,
                                                   .rank = 32});
  CHECK(parse_scheme("u4a8kv4r-g32-rtn") == Scheme{.method = Method::rtn,
                                                   .bits = 4,
                                                   .zero_point = true,
                                                   .activation_bits = 8,
                                                   .cache_bits = 4,
                                                   .real_zero_points = true,
                                                   .sharing = Sharing::group,
                                                   .group_size = 32});
  CHECK(parse_scheme("w3kv4-pc-peqa").cache_bits == 4);
  CHECK(parse_scheme("w3kv4-pc-peqa").activation_bits == 0);
  CHECK_FALSE(parse_scheme("w4-pc-rtn").quantizes_activations());
  // The same bits for keys and values need no name.
  CHECK(name_of(parse_scheme("w4a8kv8-pc-rtn")) == "w4a8-pc-rtn");
  CHECK(name_of(parse_scheme("w4a4kv8r-pc-rtn")) == "w4a4kv8r-pc-rtn");
}

TEST_CASE("Scheme names: every known name is a name, and is written as it is listed", "[lab]") {
  for (const KnownScheme& known : known_schemes) {
    CAPTURE(known.name);
    CHECK(name_of(parse_scheme(known.name)) == known.name);
    CHECK_FALSE(known.meaning.empty());
  }
}

TEST_CASE("Scheme names: reading undoes writing for every scheme", "[lab]") {
  rc::prop("parse_scheme(name_of(s)) == s", [] {
    Scheme scheme;
    scheme.method = *rc::gen::element(Method::fp32, Method::fp32_tuned, Method::rtn, Method::peqa,
                                      Method::lr_qat, Method::full_qat);
    if (!scheme.is_float()) {
      scheme.bits = *rc::gen::inRange(2, 9);
      scheme.zero_point = *rc::gen::arbitrary<bool>();
      scheme.activation_bits = *rc::gen::element(0, 4, 8);
      scheme.cache_bits =
          scheme.activation_bits == 0 ? *rc::gen::element(0, 4, 8) : *rc::gen::element(4, 8);
      scheme.real_zero_points = scheme.quantizes_activations() && *rc::gen::arbitrary<bool>();
      scheme.sharing = *rc::gen::element(Sharing::tensor, Sharing::channel, Sharing::group);
      if (scheme.sharing == Sharing::group) {
        scheme.group_size = *rc::gen::inRange<std::size_t>(1, 65537);
        scheme.channel_where_odd = *rc::gen::arbitrary<bool>();
      }
      scheme.range = *rc::gen::element(RangeSetter::min_max, RangeSetter::full, RangeSetter::l2,
                                       RangeSetter::l2_4, RangeSetter::l3, RangeSetter::l3_5,
                                       RangeSetter::l4, RangeSetter::l5);
    }
    if (scheme.method == Method::full_qat) scheme.base = Base::fp32;
    if (scheme.method == Method::lr_qat) {
      scheme.rank = *rc::gen::inRange<std::size_t>(0, 65537);
      scheme.weight_domain = *rc::gen::arbitrary<bool>();
      scheme.base = scheme.weight_domain ? Base::fp32
                                         : *rc::gen::element(Base::fixed_point, Base::bf16,
                                                             Base::fp32, Base::packed);
    }
    RC_ASSERT(parse_scheme(name_of(scheme)) == scheme);
  });
}

TEST_CASE("Scheme names: an unknown name is an error that says which part and what is near",
          "[lab]") {
  const auto message = [](const char* name) {
    try {
      parse_scheme(name);
    } catch (const lrqat::Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  using Catch::Contains;
  CHECK_THAT(message("w4-pc-q3.5-r8"), Contains("q4.4") && Contains("'q3.5'"));
  CHECK_THAT(message("w9-pc-rtn"), Contains("w2 ... w8") && Contains("w4-pc-rtn"));
  CHECK_THAT(message("w4-g-rtn"), Contains("g32"));
  CHECK_THAT(message("w4a6-pc-rtn"), Contains("a4 or a8") && Contains("'a6'"));
  CHECK_THAT(message("w4kv2-pc-rtn"), Contains("kv4 or kv8") && Contains("w4kv4-pc-rtn"));
  CHECK_THAT(message("w4r-pc-rtn"), Contains("'r'"));
  CHECK_THAT(message("w4a8rr-pc-rtn"), Contains("'a8rr'"));
  CHECK_THAT(message("w4kv4a8-pc-rtn"), Contains("such as w4a8kv4"));
  CHECK_THAT(message("w4-pc-peqa-r8"), Contains("only LR-QAT has a rank"));
  CHECK_THAT(message("w4-pc-q4.4-r0"), Contains("r and 1"));
  CHECK_THAT(message("w4-pc-rtn-l6"), Contains("'l6'"));
  CHECK_THAT(message("w4-pc"), Contains("(nothing)"));
  CHECK_THAT(message("w4-pc-rtn-"), Contains("''"));
  for (const char* name : {"", "-", "w", "w4", "w4-pc-", "W4-pc-rtn", "w4-pc-rtn-l2-l2", "fp32-x",
                           "w4-g99999-rtn", "w04-pc-rtn", "w4-g032-rtn", "a8-pc-rtn",
                           "wa8-pc-rtn", "w4a-pc-rtn", "w4a8-", "fp32a8", "w4-pc-q4.4-r1e3"})
    CHECK_THAT(message(name), Contains("unknown scheme"));
  CHECK_THROWS_AS(parse_scheme(std::string(100000, 'w')), lrqat::Error);
}

TEST_CASE("Scheme names: near names are the nearest", "[lab]") {
  CHECK(near_names("w4-pc-rnt", 1) == std::vector<std::string>{"w4-pc-rtn"});
  CHECK(near_names("fp32-tunde", 1) == std::vector<std::string>{"fp32-tuned"});
  CHECK(near_names("w2-pc-q2.6r8", 1) == std::vector<std::string>{"w2-pc-q2.6-r8"});
  CHECK(near_names("w4a8kv4-pc-rnt", 1) == std::vector<std::string>{"w4a8kv4-pc-rtn"});
  CHECK(near_names("zzz", 5).size() == 5);
}
