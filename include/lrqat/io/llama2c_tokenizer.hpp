// SPDX-License-Identifier: MIT
// io/llama2c_tokenizer.hpp: byte-pair tokenizers in the tokenizer.bin format of llama2.c.
#ifndef LRQAT_IO_LLAMA2C_TOKENIZER_HPP
#define LRQAT_IO_LLAMA2C_TOKENIZER_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/atomic_file.hpp>
#include <lrqat/io/detail/bytes.hpp>
#include <lrqat/io/mapped_file.hpp>
#include <lrqat/io/tokenizer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lrqat {

/// Id 0 stands for the unknown, 1 begins a text, 2 ends one; when ids 3 to 258 are "<0x00>" to
/// "<0xFF>", characters that are no piece become their bytes, otherwise id 0 each.
///
/// encode() gives what llama2.c's run.c gives: a space goes before a text that is not empty, its
/// UTF-8 characters are looked up, then the adjacent pair whose concatenation has the highest
/// score is merged, the left-most first among equals, until no pair is a piece. Time is
/// n log n in the text's length. Of two ids with the same piece the lower one is used.
class Llama2cTokenizer final : public Tokenizer {
 public:
  struct Piece {
    std::string text;
    float score = 0.0f;
    bool operator==(const Piece&) const = default;
  };

  /// @pre 3 to 65536 pieces, scores finite (checked; errors begin with `name`)
  explicit Llama2cTokenizer(std::vector<Piece> pieces, const std::string& name = "tokenizer")
      : pieces_(std::move(pieces)) {
    expects(pieces_.size() >= 3 && pieces_.size() <= 65536, name, ": has ", pieces_.size(),
            " pieces; 3 to 65536 are possible");
    ids_.reserve(pieces_.size());
    for (std::size_t id = 0; id < pieces_.size(); ++id) {
      const Piece& piece = pieces_[id];
      expects(std::isfinite(piece.score), name, ": piece ", id, ": its score is ", piece.score);
      ids_.emplace(piece.text, static_cast<Token>(id));
      longest_ = std::max(longest_, piece.text.size());
    }
    has_bytes_ = pieces_.size() >= first_byte + 256;
    for (int byte = 0; has_bytes_ && byte < 256; ++byte)
      has_bytes_ = byte_of(pieces_[first_byte + static_cast<std::size_t>(byte)].text) == byte;
  }

  const std::vector<Piece>& pieces() const { return pieces_; }
  std::size_t vocab_size() const override { return pieces_.size(); }
  Token bos() const override { return 1; }

  std::vector<Token> encode(std::string_view text, Bos bos) const override {
    expects(text.size() < none - 2, "encode: a text of ", text.size(), " bytes is too long");
    std::vector<Token> tokens;
    if (bos == Bos::prepend) tokens.push_back(this->bos());
    if (!text.empty()) append_character(tokens, " ");
    for (std::size_t start = 0; start < text.size();) {
      std::size_t end = start + 1;
      while (end < text.size() && end - start < 4 && is_continuation(text[end])) ++end;
      append_character(tokens, text.substr(start, end - start));
      start = end;
    }
    return merge(tokens);
  }

  Vocabulary vocabulary() const override {
    Vocabulary all;
    for (const Piece& piece : pieces_) {
      const bool is_byte = has_bytes_ && byte_of(piece.text) >= 0;
      all.pieces.push_back({detail::replaced(piece.text, " ", Vocabulary::space), piece.score,
                            is_byte ? PieceKind::byte : PieceKind::normal});
    }
    all.pieces[0] = {"<unk>", 0.0f, PieceKind::unknown};
    all.pieces[1] = {"<s>", 0.0f, PieceKind::control};
    all.pieces[2] = {"</s>", 0.0f, PieceKind::control};
    return all;
  }

  /// As run.c: a space that opens the piece is dropped after the beginning of a text.
  std::string decode(Token previous, Token token) const override {
    expects(token < pieces_.size(), "decode: token ", token, " in a vocabulary of ",
            pieces_.size());
    std::string_view piece = pieces_[token].text;
    if (previous == bos() && piece.substr(0, 1) == " ") piece.remove_prefix(1);
    const int byte = byte_of(piece);
    return byte < 0 ? std::string(piece) : std::string(1, static_cast<char>(byte));
  }

 private:
  static constexpr std::size_t first_byte = 3;
  static constexpr std::uint32_t none = UINT32_MAX;

  /// Tokens as a doubly linked list in a vector, so that the index also orders them in the text.
  struct Symbol {
    Token id;
    std::uint32_t previous, next;  // next is `none` when the symbol was merged away
  };
  struct Merge {
    float score;
    std::uint32_t left, right;
    Token left_id, right_id, merged;  // the ids tell whether the symbols changed since
  };
  struct ComesLater {
    bool operator()(const Merge& a, const Merge& b) const {
      return a.score != b.score ? a.score < b.score : a.left > b.left;
    }
  };

  static bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u; }

  /// 0 to 255 for "<0x00>" to "<0xFF>", otherwise -1.
  static int byte_of(std::string_view piece) {
    if (piece.size() != 6 || piece.substr(0, 3) != "<0x" || piece[5] != '>') return -1;
    int value = 0;
    for (const char c : piece.substr(3, 2)) {
      const std::size_t digit = std::string_view("0123456789ABCDEFabcdef").find(c);
      if (digit == std::string_view::npos) return -1;
      value = value * 16 + static_cast<int>(digit < 16 ? digit : digit - 6);
    }
    return value;
  }

  void append_character(std::vector<Token>& tokens, std::string_view character) const {
    const auto found = ids_.find(std::string(character));
    if (found != ids_.end()) {
      tokens.push_back(found->second);
    } else if (has_bytes_) {
      for (const char c : character)
        tokens.push_back(static_cast<Token>(first_byte + static_cast<unsigned char>(c)));
    } else {
      tokens.push_back(0);
    }
  }

  std::vector<Token> merge(const std::vector<Token>& tokens) const {
    std::vector<Symbol> symbols;
    symbols.reserve(tokens.size());
    for (std::uint32_t i = 0; i < tokens.size(); ++i)
      symbols.push_back({tokens[i], i == 0 ? none : i - 1, i + 1 < tokens.size() ? i + 1 : none});

    std::priority_queue<Merge, std::vector<Merge>, ComesLater> queue;
    std::string both;
    const auto propose = [&](std::uint32_t left, std::uint32_t right) {
      if (left == none || right == none) return;
      const Token left_id = symbols[left].id, right_id = symbols[right].id;
      if (pieces_[left_id].text.size() + pieces_[right_id].text.size() > longest_) return;
      both.assign(pieces_[left_id].text).append(pieces_[right_id].text);
      const auto found = ids_.find(both);
      if (found == ids_.end()) return;
      const float score = pieces_[found->second].score;
      if (score > -1e10f)  // where run.c starts its search for the best
        queue.push({score, left, right, left_id, right_id, found->second});
    };
    for (std::uint32_t i = 0; i + 1 < symbols.size(); ++i) propose(i, i + 1);

    while (!queue.empty()) {
      const Merge best = queue.top();
      queue.pop();
      Symbol& left = symbols[best.left];
      Symbol& right = symbols[best.right];
      if (left.next != best.right || left.id != best.left_id || right.id != best.right_id) continue;
      left.id = best.merged;
      left.next = std::exchange(right.next, none);
      if (left.next != none) symbols[left.next].previous = best.left;
      propose(left.previous, best.left);
      propose(best.left, left.next);
    }

    std::vector<Token> merged;
    for (std::uint32_t i = symbols.empty() ? none : 0; i != none; i = symbols[i].next)
      merged.push_back(symbols[i].id);
    return merged;
  }

  std::vector<Piece> pieces_;
  std::unordered_map<std::string, Token> ids_;
  std::size_t longest_ = 0;  // bytes of the longest piece
  bool has_bytes_ = false;
};

/// The tokenizer of a vocabulary whose special pieces have the ids that this one needs.
/// @throws Error, beginning with `where`, for any other
inline Llama2cTokenizer llama2c_tokenizer(const Vocabulary& vocabulary, const std::string& where) {
  using Kind = PieceKind;
  expects(vocabulary.unknown == 0 && vocabulary.bos == 1 && vocabulary.eos == 2, where,
          ": the ids of its tokenizer for the unknown, the beginning and the end of a text are ",
          vocabulary.unknown, ", ", vocabulary.bos, ", ", vocabulary.eos, ", not 0, 1, 2");
  std::vector<Llama2cTokenizer::Piece> pieces;
  for (std::size_t id = 0; id < vocabulary.pieces.size(); ++id) {
    const Vocabulary::Piece& piece = vocabulary.pieces[id];
    const bool is_in_place = piece.kind == Kind::normal ||
                             (piece.kind == Kind::byte && id >= 3 && id < 259) ||
                             (id < 3 && piece.kind == (id == 0 ? Kind::unknown : Kind::control));
    expects(is_in_place, where, ": piece ", id, " of its tokenizer is of kind ",
            static_cast<int>(piece.kind), ", which has no place there; name a tokenizer");
    pieces.push_back({detail::replaced(piece.text, Vocabulary::space, " "), piece.score});
  }
  if (pieces.size() >= 3) {
    pieces[1].text = "\n<s>\n";  // as llama2.c writes them, out of the way of any text
    pieces[2].text = "\n</s>\n";
  }
  return Llama2cTokenizer(std::move(pieces), where);
}

/// Reads a tokenizer.bin. The file does not say how many pieces it holds: `vocab_size` comes from
/// the model. A piece that ends beyond the file or is longer than the file's own maximum, a score
/// that is not finite, bytes after the last piece: errors naming the file and the piece.
inline Llama2cTokenizer read_llama2c_tokenizer(const std::filesystem::path& path,
                                               std::size_t vocab_size) {
  const MappedFile file(path);
  const std::string where = path.string();
  detail::ByteReader reader(file.bytes(), where);
  const auto max_length = reader.number<std::int32_t>("the header");
  expects(max_length > 0, where, ": the longest piece is said to have ", max_length, " bytes");
  expects(vocab_size <= reader.left() / 8, where, ": the model's ", vocab_size,
          " pieces do not fit a file of ", file.bytes().size(), " bytes");
  std::vector<Llama2cTokenizer::Piece> pieces(vocab_size);
  for (std::size_t id = 0; id < vocab_size; ++id) {
    const std::string name = "piece " + std::to_string(id);
    pieces[id].score = reader.number<float>(name);
    const auto length = reader.number<std::int32_t>(name);
    expects(length >= 0 && length <= max_length, where, ": ", name, ": its length is ", length,
            ", 0 to ", max_length, " are possible");
    const auto text = reader.take(static_cast<std::size_t>(length), name);
    pieces[id].text.assign(reinterpret_cast<const char*>(text.data()), text.size());
  }
  expects(reader.left() == 0, where, ": ", reader.left(), " bytes after piece ", vocab_size,
          ", the model's last one: a tokenizer of another model?");
  return Llama2cTokenizer(std::move(pieces), where);
}

/// Writes a tokenizer.bin, atomically.
inline void write_llama2c_tokenizer(const std::filesystem::path& path,
                                    const Llama2cTokenizer& tokenizer) {
  std::size_t longest = 1;
  for (const Llama2cTokenizer::Piece& piece : tokenizer.pieces())
    longest = std::max(longest, piece.text.size());
  expects(longest <= INT32_MAX, path.string(), ": a piece of ", longest, " bytes does not fit");
  std::string bytes;
  detail::append_number(bytes, static_cast<std::int32_t>(longest));
  for (const Llama2cTokenizer::Piece& piece : tokenizer.pieces()) {
    detail::append_number(bytes, piece.score);
    detail::append_number(bytes, static_cast<std::int32_t>(piece.text.size()));
    bytes += piece.text;
  }
  write_file(path, bytes);
}

}  // namespace lrqat

#endif  // LRQAT_IO_LLAMA2C_TOKENIZER_HPP
