// SPDX-License-Identifier: MIT
// io/malformed_files.test.cpp: whatever a file holds, a reader answers with a result or with one
// lrqat::Error; it never crashes, and never takes memory out of proportion to the file.
#include <lrqat/core/rng.hpp>
#include <lrqat/io/gguf_llama.hpp>
#include <lrqat/io/hugging_face.hpp>
#include <lrqat/io/llama2c.hpp>
#include <lrqat/io/llama2c_tokenizer.hpp>
#include <lrqat/io/npy.hpp>
#include <lrqat/io/packed_hugging_face.hpp>
#include <lrqat/io/safetensors.hpp>
#include <lrqat/io/token_stream.hpp>

#include "hugging_face_folder.hpp"
#include "llama2c_int8.hpp"
#include "mixed_llama.hpp"
#include "npy_file.hpp"
#include "small_llama.hpp"
#include "small_tokenizer.hpp"
#include "plain_files.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <new>

namespace {

std::atomic<std::size_t> largest_allocation{0};

void* allocate(std::size_t size, std::size_t alignment) {
  std::size_t largest = largest_allocation.load();
  while (size > largest && !largest_allocation.compare_exchange_weak(largest, size)) {
  }
  const std::size_t rounded = (size / alignment + 1) * alignment;
  return rounded < size ? nullptr : std::aligned_alloc(alignment, rounded);
}
void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  void* const memory = allocate(size, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
constexpr std::size_t usual = alignof(std::max_align_t);

}  // namespace

// The program's own: they note the largest request. Not inlined, or g++ 12 sees memory from new go
// to free and warns (-Wmismatched-new-delete).
#define NOT_INLINED [[gnu::noinline]]
NOT_INLINED void* operator new(std::size_t size) { return allocate_or_throw(size, usual); }
NOT_INLINED void* operator new[](std::size_t size) { return allocate_or_throw(size, usual); }
NOT_INLINED void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, std::size_t(alignment));
}
NOT_INLINED void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, std::size_t(alignment));
}
NOT_INLINED void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, usual);
}
NOT_INLINED void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, usual);
}
NOT_INLINED void operator delete(void* memory) noexcept { std::free(memory); }
NOT_INLINED void operator delete[](void* memory) noexcept { std::free(memory); }
NOT_INLINED void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
NOT_INLINED void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
NOT_INLINED void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
NOT_INLINED void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
NOT_INLINED void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
NOT_INLINED void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
NOT_INLINED void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
NOT_INLINED void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}

namespace {

using lrqat::CounterRng;
using lrqat::LlamaWeights;
using lrqat::test::TemporaryFolder;
using Path = std::filesystem::path;

/// What came out, so that every number that was read is looked at.
double sum_of(const LlamaWeights& weights) {
  double sum = 0.0;
  lrqat::test::visit_pairs(weights, weights, [&](const auto& values, const auto&, const auto&) {
    for (const float value : values) sum += static_cast<double>(value);
  });
  return sum;
}

/// A good file (in a folder of good files) and who reads it. `read` returns any finite number.
struct Victim {
  std::string file;
  std::function<void(const Path& folder)> make;
  std::function<double(const Path& folder)> read;
};

template <class Shards>
void make_hugging_face(const Path& folder, Shards shards) {
  const LlamaWeights weights = lrqat::test::small_llama(false);
  lrqat::write_file(folder / "config.json",
                    lrqat::test::hugging_face_config(weights.config).dump());
  lrqat::test::write_shards(
      folder, lrqat::test::hugging_face_tensors<lrqat::bf16>(weights, "BF16").tensors, shards);
}

void write_mixed_gguf(const Path& path) {
  lrqat::write_gguf_llama(path, lrqat::test::MixedLlama(true).to_store(),
                          lrqat::test::six_pieces());
}

const std::vector<Victim>& victims() {
  const auto llama2c = [](const Path& folder) { return sum_of(lrqat::read_llama2c(folder / "m")); };
  const auto hugging_face = [](const Path& folder) {
    return sum_of(lrqat::read_hugging_face(folder));
  };
  static const std::vector<Victim> all{
      {"m", [](const Path& f) { write_llama2c(f / "m", lrqat::test::small_llama(true)); }, llama2c},
      {"m", [](const Path& f) { write_llama2c(f / "m", lrqat::test::small_llama(false)); },
       llama2c},
      {"m",
       [](const Path& f) {
         lrqat::write_file(f / "m", lrqat::test::llama2c_int8(lrqat::test::small_llama(false), 4));
       },
       llama2c},
      {"t", [](const Path& f) { write_llama2c_tokenizer(f / "t", lrqat::test::byte_tokenizer()); },
       [](const Path& f) {
         const auto tokenizer = lrqat::read_llama2c_tokenizer(f / "t", 263);
         const auto tokens = tokenizer.encode(" aa\xC3\xA4\n", lrqat::Bos::prepend);
         return static_cast<double>(decode_all(tokenizer, tokens).size());
       }},
      {"t",
       [](const Path& f) {
         lrqat::write_file(f / "t", lrqat::test::npy_file(1,
                                                          "{'descr': '<f4', 'fortran_order': "
                                                          "False, 'shape': (3, 2), } \n") +
                                        std::string(24, '\0'));
       },
       [](const Path& f) {
         return static_cast<double>(lrqat::read_npy<float>(f / "t").values.size());
       }},
      {"m", [](const Path& f) { write_mixed_gguf(f / "m"); },
       [](const Path& f) {
         const lrqat::GgufFile file(f / "m");
         return sum_of(lrqat::read_gguf_llama(file).weights) +
                static_cast<double>(lrqat::read_gguf_vocabulary(file).pieces.size());
       }},
      {"model.safetensors", [](const Path& f) { make_hugging_face(f, 1u); },
       [](const Path& f) {
         const lrqat::SafetensorsFile file(f / "model.safetensors");
         double sum = 0.0;
         for (const std::string& name : file.names()) {
           for (const std::byte b : file.bytes(name)) sum += std::to_integer<int>(b);
           for (const float value : file.floats(name, file.at(name).shape))
             sum += static_cast<double>(value);
         }
         return sum;
       }},
      {"model.safetensors", [](const Path& f) { make_hugging_face(f, 1u); }, hugging_face},
      {"config.json", [](const Path& f) { make_hugging_face(f, 1u); }, hugging_face},
      {"model.safetensors",
       [](const Path& f) {
         write_packed_hugging_face(f, lrqat::test::MixedLlama(true).to_store());
       },
       [](const Path& f) { return sum_of(lrqat::read_packed_hugging_face(f).weights); }},
      {"model.safetensors.index.json", [](const Path& f) { make_hugging_face(f, 2u); },
       hugging_face},
      {"model-2.safetensors", [](const Path& f) { make_hugging_face(f, 2u); }, hugging_face},
  };
  return all;
}

enum class Outcome { result, error };

/// Fails the test on any other exception and on memory out of proportion.
Outcome read_bounded(const Victim& victim, const Path& folder) {
  std::size_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) bytes += entry.file_size();
  largest_allocation = 0;
  Outcome outcome = Outcome::result;
  double sum = 0.0;
  try {
    sum = victim.read(folder);
  } catch (const lrqat::Error& error) {
    outcome = Outcome::error;
    if (std::strlen(error.what()) > 1000) FAIL("an endless message: " << error.what());
    if (std::string(error.what()).find(folder.string()) == std::string::npos)
      FAIL("a message without the file: " << error.what());
  } catch (const std::exception& error) {
    FAIL("another exception: " << error.what());
  }
  if (!std::isfinite(sum)) FAIL("the sum of what was read is " << sum);
  const std::size_t largest = largest_allocation;
  if (largest > 4 * bytes + (1u << 20)) FAIL(largest << " bytes allocated for " << bytes);
  return outcome;
}

/// One to three changes of the kinds that break parsers: bits, extreme numbers, lengths.
std::string mutated(std::string bytes, std::uint64_t seed) {
  const CounterRng rng(seed, 1);
  std::uint64_t draw = 0;
  const auto below = [&](std::size_t bound) {
    return std::size_t{rng.below(static_cast<std::uint32_t>(bound), draw++)};
  };
  const std::uint64_t extremes[] = {0,          1,          UINT64_MAX, INT64_MAX,
                                    0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, std::uint64_t{1} << 63,
                                    0x7F800000, 0x10000,    1u << 30,   100};
  const char json[] = "{}[],:\"0123456789-.eE\\ ntf";
  for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
    if (bytes.empty()) return bytes;
    // Half of the changes hit the first bytes, where the headers are.
    const std::size_t at =
        below(below(2) == 0 ? std::min<std::size_t>(bytes.size(), 300) : bytes.size());
    const std::size_t length = std::min(1 + below(16), bytes.size() - at);
    switch (below(8)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 2:
        bytes[at] = json[below(sizeof json - 1)];
        break;
      case 3:
        std::memcpy(&bytes[at], &extremes[below(12)], std::min<std::size_t>(length, 8));
        break;
      case 4:
        bytes.erase(at, length);
        break;
      case 5:
        bytes.insert(at, bytes.substr(below(bytes.size()), length));
        break;
      case 6:
        bytes.insert(at, std::string(1 + below(20), json[below(sizeof json - 1)]));
        break;
      default:
        bytes.resize(at);
        break;
    }
  }
  return bytes;
}

}  // namespace

TEST_CASE("Readers: a file cut off anywhere is an error", "[io]") {
  for (const Victim& victim : victims()) {
    const TemporaryFolder folder;
    victim.make(folder.path());
    REQUIRE(read_bounded(victim, folder.path()) == Outcome::result);
    const std::string good = lrqat::test::read_plainly(folder / victim.file);
    for (std::size_t size = good.size(); size-- != 0;) {
      // Every byte of headers and ends; of rows of numbers between them, one of each place in them.
      if (size >= 1024 && size + 256 < good.size() && size % 7 != 0) continue;
      std::filesystem::resize_file(folder / victim.file, size);
      INFO(victim.file << " cut to " << size << " of " << good.size() << " bytes");
      REQUIRE(read_bounded(victim, folder.path()) == Outcome::error);
    }
  }
}

TEST_CASE("Readers: thousands of damaged files give a result or one error", "[io]") {
  constexpr std::uint64_t trials = 2000;
  for (const Victim& victim : victims()) {
    const TemporaryFolder folder;
    victim.make(folder.path());
    const std::string good = lrqat::test::read_plainly(folder / victim.file);
    std::size_t errors = 0;
    for (std::uint64_t seed = 0; seed < trials; ++seed) {
      INFO(victim.file << ", seed " << seed);
      lrqat::test::write_plainly(folder / victim.file, mutated(good, seed));
      errors += read_bounded(victim, folder.path()) == Outcome::error ? 1 : 0;
    }
    CHECK(errors > trials / 4);  // the changes do break files
    CHECK(errors < trials);      // and some only change a weight
  }
}

TEST_CASE("Readers: hostile headers of megabytes take no more memory than the file", "[io]") {
  const TemporaryFolder folder;
  const Victim safetensors{
      "f", {}, [](const Path& f) {
        return static_cast<double>(lrqat::SafetensorsFile(f / "f").names().size());
      }};
  const auto outcome = [&](const std::string& header) {
    std::string bytes;
    lrqat::detail::append_number(bytes, std::uint64_t{header.size()});
    lrqat::test::write_plainly(folder / "f", bytes + header);
    return read_bounded(safetensors, folder.path());
  };
  const std::size_t size = 4 << 20;
  std::string ones = "{\"a\":[1", empties = "{\"a\":[[]", nested;
  while (ones.size() < size) ones += ",1";
  while (empties.size() < size) empties += ",[]";
  while (nested.size() < size) nested += "{\"a\":[";
  for (const std::string& text :
       {ones + "]}", empties + "]}", nested, std::string(size, '['),
        "{\"a\":" + std::string(size, '9') + "}", "{\"" + std::string(size, 'a') + "\":1}",
        "{\"a\":{\"dtype\":\"" + std::string(size, 'F') + "\"}}"})
    CHECK(outcome(text) == Outcome::error);
}
