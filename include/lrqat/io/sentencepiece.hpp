// SPDX-License-Identifier: MIT
// io/sentencepiece.hpp: SentencePiece .model tokenizers; opt-in, needs libsentencepiece to link.
#ifndef LRQAT_IO_SENTENCEPIECE_HPP
#define LRQAT_IO_SENTENCEPIECE_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/detail/bytes.hpp>
#include <lrqat/io/mapped_file.hpp>
#include <lrqat/io/tokenizer.hpp>

#include <sentencepiece_processor.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lrqat {

namespace detail {

/// One field of a serialized protocol buffer: a number, or the bytes of a text or message.
struct ProtoField {
  std::uint64_t number = 0;
  std::string_view bytes;
};

/// The last field of that number; none where the message has none. Nothing is assumed of the bytes:
/// what is no field ends the search.
inline std::optional<ProtoField> proto_field(std::string_view message, std::uint64_t wanted) {
  std::optional<ProtoField> found;
  const auto varint = [&message]() -> std::uint64_t {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !message.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(message.front());
      message.remove_prefix(1);
      value |= std::uint64_t{byte & 127u} << shift;
      if (byte < 128) return value;
    }
    message = {};
    return value;
  };
  while (!message.empty()) {
    const std::uint64_t key = varint(), type = key % 8;
    ProtoField field;
    if (type == 0) {
      field.number = varint();
    } else if (type == 1 || type == 2 || type == 5) {
      const std::uint64_t size = type == 2 ? varint() : type == 1 ? 8 : 4;
      if (size > message.size()) break;
      field.bytes = message.substr(0, static_cast<std::size_t>(size));
      message.remove_prefix(static_cast<std::size_t>(size));
    } else {
      break;
    }
    if (key / 8 == wanted) found = field;
  }
  return found;
}

}  // namespace detail

/// A tokenizer.model as Hugging Face LLaMA folders hold it. Runs of characters that are no piece
/// become one unknown token where the model has no byte pieces.
class SentencePieceTokenizer final : public Tokenizer {
 public:
  /// A file that is no SentencePiece model, has more than 65536 pieces, or no token for the
  /// beginning of a text: errors naming it.
  explicit SentencePieceTokenizer(const std::filesystem::path& path) : where_(path.string()) {
    const MappedFile file(path);
    const auto status =
        processor_.LoadFromSerializedProto({file.text().data(), file.text().size()});
    expects(status.ok(), where_,
            ": is no SentencePiece model: ", detail::printable(status.ToString()));
    expects(processor_.GetPieceSize() > 0 && processor_.GetPieceSize() <= 65536, where_, ": has ",
            processor_.GetPieceSize(), " pieces; 1 to 65536 are possible");
    expects(processor_.bos_id() >= 0, where_, ": has no token for the beginning of a text");
  }

  std::size_t vocab_size() const override {
    return static_cast<std::size_t>(processor_.GetPieceSize());
  }
  Token bos() const override { return static_cast<Token>(processor_.bos_id()); }

  /// A model whose pieces contradict each other loads, and is an error naming the file here.
  std::vector<Token> encode(std::string_view text, Bos bos) const override {
    std::vector<int> ids;
    const auto status = processor_.Encode({text.data(), text.size()}, &ids);
    expects(status.ok(), where_, ": cannot encode: ", detail::printable(status.ToString()));
    std::vector<Token> tokens;
    tokens.reserve(ids.size() + 1);
    if (bos == Bos::prepend) tokens.push_back(this->bos());
    for (const int id : ids) tokens.push_back(static_cast<Token>(id));
    return tokens;
  }

  /// Runs of spaces, which some models shorten before they encode, are kept by the vocabulary's
  /// readers. @throws Error for a model that merges otherwise or changes characters first
  Vocabulary vocabulary() const override {
    const std::string model = processor_.serialized_model_proto();
    const auto trainer = detail::proto_field(model, 2), normalizer = detail::proto_field(model, 3);
    const auto type = detail::proto_field(trainer ? trainer->bytes : std::string_view(), 3);
    const auto name = detail::proto_field(normalizer ? normalizer->bytes : std::string_view(), 1);
    constexpr std::uint64_t byte_pairs = 2;
    expects(type && type->number == byte_pairs, "a SentencePiece model of a kind that files of ",
            "models do not carry along; only byte pair encoding is");
    expects(!name || name->bytes.empty() || name->bytes == "identity",
            "a SentencePiece model that normalizes texts (", name ? name->bytes : "",
            "), which files of models do not carry along");
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
  std::string where_;  // the file
  sentencepiece::SentencePieceProcessor processor_;
};

}  // namespace lrqat

#endif  // LRQAT_IO_SENTENCEPIECE_HPP
