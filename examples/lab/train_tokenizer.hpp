// SPDX-License-Identifier: MIT
// examples/lab/train_tokenizer.hpp: a byte-pair vocabulary from a text.
#ifndef LRQAT_LAB_TRAIN_TOKENIZER_HPP
#define LRQAT_LAB_TRAIN_TOKENIZER_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/llama2c_tokenizer.hpp>
#include <lrqat/io/token_stream.hpp>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lrqat::lab {

namespace bpe {

/// Counts the units that pieces stay inside of: a word or a run of other signs, with the space
/// before it; a line end is a unit of its own.
class UnitCounts {
 public:
  void add(std::string_view text) {
    std::string unit = " ";  // as the tokenizer puts one before a text
    for (const char sign : text) {
      if (sign == ' ' || sign == '\n' || (unit != " " && is_word(sign) != is_word(unit.back())))
        end(unit);
      unit += sign;
      if (sign == '\n') end(unit);
    }
    end(unit);
  }

  const std::map<std::string, std::uint64_t>& counts() const { return counts_; }

 private:
  static bool is_word(char sign) {
    const auto byte = static_cast<unsigned char>(sign);
    return std::isalnum(byte) != 0 || byte >= 0x80 || sign == '\'';
  }
  void end(std::string& unit) {
    if (!unit.empty()) ++counts_[unit];
    unit.clear();
  }

  std::map<std::string, std::uint64_t> counts_;
};

/// A unit cut into pieces, and how often it occurs.
struct CutUnit {
  std::vector<std::string> pieces;
  std::uint64_t count;
};

/// Its UTF-8 characters.
inline std::vector<std::string> characters_of(std::string_view text) {
  std::vector<std::string> characters;
  for (const char sign : text) {
    const bool continues = (static_cast<unsigned char>(sign) & 0xC0u) == 0x80u;
    if (!continues || characters.empty() || characters.back().size() == 4)
      characters.emplace_back();
    characters.back() += sign;
  }
  return characters;
}

/// Joins neighbours, from the left, wherever they make up `piece`.
inline void join(std::vector<std::string>& pieces, const std::string& piece) {
  std::vector<std::string> joined;
  for (std::string& next : pieces) {
    if (!joined.empty() && joined.back().size() + next.size() == piece.size() &&
        joined.back() + next == piece)
      joined.back() = piece;
    else
      joined.push_back(std::move(next));
  }
  pieces = std::move(joined);
}

/// What the neighbours make up that occur together most often; "" where nothing has a neighbour.
/// The first in byte order among equals.
inline std::string most_frequent_pair(const std::vector<CutUnit>& units) {
  std::map<std::string, std::uint64_t> pairs;
  for (const CutUnit& unit : units)
    for (std::size_t i = 0; i + 1 < unit.pieces.size(); ++i)
      pairs[unit.pieces[i] + unit.pieces[i + 1]] += unit.count;
  const auto best = std::max_element(
      pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return best == pairs.end() ? std::string() : best->first;
}

}  // namespace bpe

/// Byte-pair encoding (Sennrich et al., "Neural machine translation of rare words with subword
/// units", 2016) of a collection of texts, see split_texts. The pieces: three special ones, 256
/// bytes, the merges in the order they were made (so that scores fall by one from id to id and the
/// tokenizer repeats the merges in this order), the characters of the text.
///
/// @pre  the text has enough different words for `vocab_size` pieces, and no more characters
///       than fit (both checked)
inline Llama2cTokenizer train_tokenizer(std::string_view collection, std::size_t vocab_size) {
  bpe::UnitCounts counts;
  for (const std::string_view text : split_texts(collection)) counts.add(text);
  std::vector<bpe::CutUnit> units;
  std::map<std::string, std::uint64_t> characters;
  for (const auto& [unit, count] : counts.counts()) {
    units.push_back({bpe::characters_of(unit), count});
    for (const std::string& character : units.back().pieces) characters[character] += count;
  }

  std::vector<Llama2cTokenizer::Piece> pieces{{"<unk>", 0}, {"\n<s>\n", 0}, {"\n</s>\n", 0}};
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(byte));
    pieces.push_back({name, 0});
  }
  const std::size_t first_merge = pieces.size();
  expects(vocab_size >= first_merge + characters.size(), "train_tokenizer: 3 special pieces, 256 ",
          "bytes and the text's ", characters.size(), " characters do not fit ", vocab_size);
  const std::size_t merges = vocab_size - first_merge - characters.size();
  const auto add = [&](const std::string& text) {
    pieces.push_back({text, -static_cast<float>(pieces.size() - first_merge)});
  };
  while (pieces.size() < first_merge + merges) {
    const std::string piece = bpe::most_frequent_pair(units);
    expects(!piece.empty(), "train_tokenizer: the text has only words for ",
            pieces.size() + characters.size(), " pieces, ", vocab_size, " are asked for");
    for (bpe::CutUnit& unit : units) bpe::join(unit.pieces, piece);
    const auto known = std::find_if(pieces.begin(), pieces.end(),
                                    [&](const auto& other) { return other.text == piece; });
    if (known == pieces.end()) add(piece);
  }
  std::vector<std::pair<std::string, std::uint64_t>> by_count(characters.begin(), characters.end());
  std::stable_sort(by_count.begin(), by_count.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [character, count] : by_count) add(character);
  return Llama2cTokenizer(std::move(pieces), "trained tokenizer");
}

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_TRAIN_TOKENIZER_HPP
