// SPDX-License-Identifier: MIT
// io/detail/json.hpp: JSON from files nobody vouches for, as a tree of bounded depth and width.
#ifndef LRQAT_IO_DETAIL_JSON_HPP
#define LRQAT_IO_DETAIL_JSON_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/detail/bytes.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lrqat::detail {

/// Builds the tree while the parser reads and stops it at the first thing that has no place in a
/// file header: a key given twice, deep nesting, an endless list. Neither the stack nor a single
/// allocation can then grow with what a hostile file says.
class JsonBuilder {
 public:
  using Json = nlohmann::json;
  static constexpr std::size_t max_depth = 32;
  static constexpr std::size_t max_list_length = 65536;

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(Json::number_integer_t value) { return add(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return add(value); }
  bool number_float(Json::number_float_t value, const std::string&) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(Json::binary_t&) { return stop("binary data"); }
  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    const auto [place, is_new] = open_.back()->get_ptr<Json::object_t*>()->emplace(name, nullptr);
    if (!is_new) return stop("the key " + printable(name) + " appears twice");
    member_ = &place->second;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const Json::exception& why) {
    return stop("at byte " + std::to_string(position) + ": " + printable(why.what()));
  }

  const std::string& problem() const { return problem_; }
  Json take() { return std::move(root_); }

 private:
  /// Puts a value where it belongs: under the last key, at the end of the list, or at the root.
  Json* place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (member_ != nullptr) {
      *member_ = std::move(value);
      return std::exchange(member_, nullptr);
    }
    Json::array_t& list = *open_.back()->get_ptr<Json::array_t*>();
    if (list.size() == max_list_length) {
      stop("a list has more than " + std::to_string(max_list_length) + " elements");
      return nullptr;
    }
    list.push_back(std::move(value));
    return &list.back();
  }
  template <class Value>
  bool add(Value&& value) {
    return place(Json(std::forward<Value>(value))) != nullptr;
  }
  bool open(Json empty) {
    if (open_.size() == max_depth)
      return stop("nested deeper than " + std::to_string(max_depth) + " levels");
    Json* const placed = place(std::move(empty));
    if (placed != nullptr) open_.push_back(placed);
    return placed != nullptr;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  bool stop(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  Json root_;
  std::vector<Json*> open_;  // the objects and lists around the current position
  Json* member_ = nullptr;   // where the value of the key just read goes
  std::string problem_;
};

/// Parses `text`, which must be one JSON object; errors begin with `where`.
inline nlohmann::json parse_json_object(std::string_view text, const std::string& where) {
  JsonBuilder builder;
  const bool is_valid = nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  expects(is_valid, where, ": not valid JSON: ", builder.problem());
  nlohmann::json root = builder.take();
  expects(root.is_object(), where, ": is not a JSON object but a ", root.type_name());
  return root;
}

}  // namespace lrqat::detail

#endif  // LRQAT_IO_DETAIL_JSON_HPP
