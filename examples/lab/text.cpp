// SPDX-License-Identifier: MIT
// examples/lab/text.cpp: token files, text files and held-out parts.
#include "text.hpp"

#include "joined.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/io/gguf_llama.hpp>
#include <lrqat/io/llama2c_tokenizer.hpp>
#include <lrqat/io/mapped_file.hpp>
#include <lrqat/io/token_stream.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

#if __has_include(<sentencepiece_processor.h>)
#include <lrqat/io/sentencepiece.hpp>
#endif

namespace lrqat::lab {

std::unique_ptr<Tokenizer> read_tokenizer(const std::filesystem::path& path, std::size_t vocab) {
  if (path.extension() == ".gguf") {
    const Vocabulary vocabulary = read_gguf_vocabulary(GgufFile(path));
    expects(vocabulary.pieces.size() == vocab, path.string(), ": has ", vocabulary.pieces.size(),
            " pieces, the model has ", vocab);
    return std::make_unique<Llama2cTokenizer>(llama2c_tokenizer(vocabulary, path.string()));
  }
  if (path.extension() != ".model") {
    try {
      return std::make_unique<Llama2cTokenizer>(read_llama2c_tokenizer(path, vocab));
    } catch (const Error& error) {
      fail(error.what(), " (the model has ", vocab, " pieces; is this its tokenizer?)");
    }
  }
#if __has_include(<sentencepiece_processor.h>)
  auto tokenizer = std::make_unique<SentencePieceTokenizer>(path);
  expects(tokenizer->vocab_size() == vocab, path.string(), ": has ", tokenizer->vocab_size(),
          " pieces, the model has ", vocab);
  return tokenizer;
#else
  fail(path.string(), ": SentencePiece was not there when lrqat-lab was built");
#endif
}

const Tokenizer& TextReader::tokenizer() {
  if (tokenizer_) return *tokenizer_;
  expects(!sources_.tokenizer.empty(), "text needs a tokenizer: name one with --tokenizer");
  tokenizer_ = read_tokenizer(sources_.tokenizer, vocab_);
  return *tokenizer_;
}

Stream TextReader::stream(const std::filesystem::path& path, bool is_text) {
  Stream read;
  read.origin = path.filename().string();
  if (is_text) {
    const MappedFile file(path);
    double bytes = 0;
    for (const std::string_view text : split_texts(file.text()))
      bytes += static_cast<double>(text.size());
    read.tokens = tokenize(tokenizer(), file.text());
    read.bytes = bytes;
  } else {
    read.tokens = read_token_stream(path, vocab_);
  }
  expects(!read.tokens.empty(), path.string(), ": holds no text");
  return read;
}

Stream TextReader::whole() {
  expects(sources_.tokens.empty() || sources_.data.empty(),
          "--tokens and --data name two texts; give one of them");
  expects(!sources_.tokens.empty() || !sources_.data.empty(),
          "no text is named: give --tokens FILE.u16, or --data FILE and --tokenizer FILE");
  return sources_.tokens.empty() ? stream(sources_.data, true) : stream(sources_.tokens, false);
}

Splits TextReader::splits(std::size_t context) {
  Splits all;
  all.train = whole();
  const auto hold_out = [&](const char* what, std::size_t divisor) {
    const std::size_t size = all.train.tokens.size();
    const std::size_t windows = std::max<std::size_t>(size / divisor / context, 1);
    expects(windows * context + 1 < size, all.train.origin, ": ", size,
            " tokens are too few to hold a ", what, " part out of them, in windows of ", context,
            "; name one with --", what);
    Stream part;
    part.origin = joined("the last ", windows * context + 1, " tokens of the training text");
    const auto cut = all.train.tokens.end() - static_cast<std::ptrdiff_t>(windows * context + 1);
    part.tokens.assign(cut, all.train.tokens.end());
    all.train.tokens.erase(cut, all.train.tokens.end());
    all.train.bytes.reset();
    all.note += joined(all.note.empty() ? "" : "; ", "--", what, " was not given: ", part.origin,
                       " are held out for it");
    return part;
  };
  all.test = sources_.test.empty() ? hold_out("test", 10) : named(sources_.test);
  all.dev = sources_.dev.empty() ? hold_out("dev", 20) : named(sources_.dev);
  return all;
}

}  // namespace lrqat::lab
