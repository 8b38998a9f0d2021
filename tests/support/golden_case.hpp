// SPDX-License-Identifier: MIT
// tests/support/golden_case.hpp: strict reader of golden cases, flat JSON objects of numbers.
#ifndef LRQAT_TESTS_SUPPORT_GOLDEN_CASE_HPP
#define LRQAT_TESTS_SUPPORT_GOLDEN_CASE_HPP

#include <lrqat/core/expects.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace lrqat::test {

/// One file. Every access to a key that is missing, has another type or another length throws
/// lrqat::Error naming file and key. Numbers are kept as text, so that a float is read by strtof
/// and rounded once.
class GoldenCase {
 public:
  explicit GoldenCase(const std::filesystem::path& path) : file_(path.filename().string()) {
    std::ifstream stream(path);
    expects(stream.good(), file_, ": cannot be opened");
    Reader reader(*this);
    nlohmann::json::sax_parse(stream, &reader);
    expects(reader.depth == 0 && reader.complete, file_, ": not one complete JSON object");
  }

  const std::string& file() const { return file_; }
  bool has(const std::string& key) const { return fields_.contains(key); }

  const std::string& text(const std::string& key) const {
    const Field& field = at(key);
    expects(field.kind == Field::text, file_, ": \"", key, "\" is not a string");
    return field.items.front();
  }
  int integer(const std::string& key) const { return to_integer(key, scalar(key)); }
  std::size_t size(const std::string& key) const {
    const int value = integer(key);
    expects(value >= 0, file_, ": \"", key, "\" is negative");
    return static_cast<std::size_t>(value);
  }
  double number(const std::string& key) const { return to_double(key, scalar(key)); }

  std::vector<float> floats(const std::string& key, std::size_t count) const {
    std::vector<float> values;
    for (const std::string& item : array(key, count)) {
      values.push_back(std::strtof(item.c_str(), nullptr));
      expects(std::isfinite(values.back()), file_, ": \"", key, "\" holds ", item);
    }
    return values;
  }
  std::vector<double> doubles(const std::string& key, std::size_t count) const {
    std::vector<double> values;
    for (const std::string& item : array(key, count)) values.push_back(to_double(key, item));
    return values;
  }
  std::vector<int> integers(const std::string& key, std::size_t count) const {
    std::vector<int> values;
    for (const std::string& item : array(key, count)) values.push_back(to_integer(key, item));
    return values;
  }

 private:
  struct Field {
    enum { text, scalar, array } kind;
    std::vector<std::string> items;
  };

  /// Receives the parser's events; anything the format does not know is an error.
  struct Reader : nlohmann::json_sax<nlohmann::json> {
    explicit Reader(GoldenCase& owner) : self(owner) {}
    GoldenCase& self;
    int depth = 0;
    bool complete = false, in_array = false;
    std::string name;

    bool put(decltype(Field::kind) kind, std::string item) {
      expects(depth == 1, self.file_, ": not a JSON object");
      if (in_array) {
        expects(kind == Field::scalar, self.file_, ": \"", name, "\" holds something but numbers");
        self.fields_.at(name).items.push_back(std::move(item));
      } else {
        add({kind, {std::move(item)}});
      }
      return true;
    }
    void add(Field field) {
      const bool is_new = self.fields_.emplace(name, std::move(field)).second;
      expects(is_new, self.file_, ": \"", name, "\" appears twice");
    }
    bool refuse(const char* what) {
      fail(self.file_, ": \"", name, "\" holds ", what, ", which the format does not know");
    }

    bool null() override { return refuse("null"); }
    bool boolean(bool) override { return refuse("a boolean"); }
    bool binary(binary_t&) override { return refuse("binary data"); }
    bool number_integer(number_integer_t value) override {
      return put(Field::scalar, std::to_string(value));
    }
    bool number_unsigned(number_unsigned_t value) override {
      return put(Field::scalar, std::to_string(value));
    }
    bool number_float(number_float_t, const string_t& item) override {
      return put(Field::scalar, item);
    }
    bool string(string_t& value) override { return put(Field::text, value); }
    bool key(string_t& value) override {
      name = value;
      return true;
    }
    bool start_object(std::size_t) override {
      return ++depth == 1 && !in_array ? true : refuse("a nested object");
    }
    bool end_object() override {
      --depth;
      return complete = true;
    }
    bool start_array(std::size_t) override {
      if (in_array || depth != 1) refuse("a nested array");
      in_array = true;
      add({Field::array, {}});
      return true;
    }
    bool end_array() override {
      in_array = false;
      return true;
    }
    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception& error) override {
      fail(self.file_, ": byte ", position, ": ", error.what());
    }
  };

  const Field& at(const std::string& key) const {
    const auto found = fields_.find(key);
    expects(found != fields_.end(), file_, ": no key \"", key, "\"");
    return found->second;
  }
  const std::string& scalar(const std::string& key) const {
    const Field& field = at(key);
    expects(field.kind == Field::scalar, file_, ": \"", key, "\" is not a number");
    return field.items.front();
  }
  const std::vector<std::string>& array(const std::string& key, std::size_t count) const {
    const Field& field = at(key);
    expects(field.kind == Field::array, file_, ": \"", key, "\" is not an array");
    expects(field.items.size() == count, file_, ": \"", key, "\" has ", field.items.size(),
            " numbers, ", count, " are needed");
    return field.items;
  }
  double to_double(const std::string& key, const std::string& item) const {
    const double value = std::strtod(item.c_str(), nullptr);
    expects(std::isfinite(value), file_, ": \"", key, "\" holds ", item);
    return value;
  }
  int to_integer(const std::string& key, const std::string& item) const {
    const double value = to_double(key, item);
    expects(value == std::floor(value) && std::fabs(value) < 1e9, file_, ": \"", key, "\" holds ",
            item, ", not an integer");
    return static_cast<int>(value);
  }

  std::string file_;
  std::map<std::string, Field> fields_;
};

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_SUPPORT_GOLDEN_CASE_HPP
