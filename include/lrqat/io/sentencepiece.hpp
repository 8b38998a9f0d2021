// SPDX-License-Identifier: MIT
// io/sentencepiece.hpp: SentencePiece .model tokenizers; opt-in, needs libsentencepiece to link.
#ifndef LRQAT_IO_SENTENCEPIECE_HPP
#define LRQAT_IO_SENTENCEPIECE_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/mapped_file.hpp>
#include <lrqat/io/tokenizer.hpp>

#include <sentencepiece_processor.h>

#include <charconv>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace lrqat {

/// A tokenizer.model as Hugging Face LLaMA folders hold it. Runs of characters that are no piece
/// become one unknown token where the model has no byte pieces.
class SentencePieceTokenizer final : public Tokenizer {
 public:
  /// A file that is no SentencePiece model, has more than 65536 pieces, or no token for the
  /// beginning of a text: errors naming it.
  explicit SentencePieceTokenizer(const std::filesystem::path& path) {
    const MappedFile file(path);
    const std::string where = path.string();
    const auto status =
        processor_.LoadFromSerializedProto({file.text().data(), file.text().size()});
    expects(status.ok(), where, ": is no SentencePiece model: ", status.ToString());
    expects(processor_.GetPieceSize() > 0 && processor_.GetPieceSize() <= 65536, where, ": has ",
            processor_.GetPieceSize(), " pieces; 1 to 65536 are possible");
    expects(processor_.bos_id() >= 0, where, ": has no token for the beginning of a text");
  }

  std::size_t vocab_size() const override {
    return static_cast<std::size_t>(processor_.GetPieceSize());
  }
  Token bos() const override { return static_cast<Token>(processor_.bos_id()); }

  std::vector<Token> encode(std::string_view text, Bos bos) const override {
    std::vector<int> ids;
    const auto status = processor_.Encode({text.data(), text.size()}, &ids);
    expects(status.ok(), "encode: ", status.ToString());
    std::vector<Token> tokens;
    tokens.reserve(ids.size() + 1);
    if (bos == Bos::prepend) tokens.push_back(this->bos());
    for (const int id : ids) tokens.push_back(static_cast<Token>(id));
    return tokens;
  }

  Vocabulary vocabulary() const override {
    Vocabulary all;
    for (int id = 0; id < processor_.GetPieceSize(); ++id)
      all.pieces.push_back({processor_.IdToPiece(id), processor_.GetScore(id),
                            processor_.IsUnknown(id)   ? PieceKind::unknown
                            : processor_.IsControl(id) ? PieceKind::control
                            : processor_.IsByte(id)    ? PieceKind::byte
                            : processor_.IsUnused(id)  ? PieceKind::unused
                                                       : PieceKind::normal});
    all.unknown = static_cast<std::uint32_t>(processor_.unk_id());
    all.bos = bos();
    // A model without an end of texts: its beginning ends the one before.
    all.eos = processor_.eos_id() < 0 ? all.bos : static_cast<std::uint32_t>(processor_.eos_id());
    return all;
  }

  std::string decode(Token previous, Token token) const override {
    expects(token < vocab_size(), "decode: token ", token, " in a vocabulary of ", vocab_size());
    if (processor_.IsControl(token)) return {};
    if (processor_.IsUnknown(token)) return "?";
    const std::string& piece = processor_.IdToPiece(token);
    if (processor_.IsByte(token)) {  // "<0x0A>"
      unsigned char byte = 0;
      std::from_chars(piece.data() + 3, piece.data() + 5, byte, 16);
      return std::string(1, static_cast<char>(byte));
    }
    constexpr std::string_view space = "\xE2\x96\x81";  // U+2581 stands for a space in pieces
    std::string text;
    for (std::size_t at = 0; at < piece.size();) {
      const bool is_space = piece.compare(at, space.size(), space) == 0;
      text += is_space ? ' ' : piece[at];
      at += is_space ? space.size() : 1;
    }
    if (previous == bos() && text.substr(0, 1) == " ") text.erase(0, 1);
    return text;
  }

 private:
  sentencepiece::SentencePieceProcessor processor_;
};

}  // namespace lrqat

#endif  // LRQAT_IO_SENTENCEPIECE_HPP
