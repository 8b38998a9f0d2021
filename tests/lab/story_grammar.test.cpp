// SPDX-License-Identifier: MIT
// tests/lab/story_grammar.test.cpp
#include "lab/story_grammar.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using lrqat::lab::story_corpus;
using lrqat::lab::story_text;

namespace {

constexpr std::size_t corpus_bytes = 2'000'000;

std::vector<std::string> stories_of(const std::string& corpus) {
  std::vector<std::string> stories(1);
  std::istringstream in(corpus);
  for (std::string line; std::getline(in, line);) {
    if (line == lrqat::lab::end_of_story)
      stories.emplace_back();
    else
      stories.back() += line + '\n';
  }
  REQUIRE(stories.back().empty());  // the corpus ends with the line that ends a story
  stories.pop_back();
  return stories;
}

/// Runs of letters in small letters, without names: those are always capital within a sentence.
std::set<std::string> small_words(const std::string& text) {
  std::set<std::string> words;
  std::string word;
  for (const char sign : text) {
    if (std::isalpha(static_cast<unsigned char>(sign)) != 0) {
      word += sign;
    } else {
      if (!word.empty() && std::islower(static_cast<unsigned char>(word[0])) != 0)
        words.insert(word);
      word.clear();
    }
  }
  return words;
}

}  // namespace

TEST_CASE("story_text: depends on seed and number alone", "[lab]") {
  CHECK(story_text(1, 5) == story_text(1, 5));
  CHECK(story_text(1, 5) != story_text(1, 6));
  CHECK(story_text(1, 5) != story_text(2, 5));
  const std::string corpus = story_corpus(1, 5000);
  CHECK(stories_of(corpus)[5] == story_text(1, 5) + '\n');
  CHECK(stories_of(story_corpus(1, 1000, 5))[0] == story_text(1, 5) + '\n');
  CHECK(story_corpus(1, 50000).substr(0, corpus.size()) == corpus);
}

TEST_CASE("story_corpus: is as large as asked for and never tells a story twice", "[lab]") {
  const std::string corpus = story_corpus(7, corpus_bytes);
  CHECK(corpus.size() >= corpus_bytes);
  CHECK(corpus.size() < corpus_bytes + 3000);
  const std::vector<std::string> stories = stories_of(corpus);
  CHECK(std::set<std::string>(stories.begin(), stories.end()).size() == stories.size());
  for (const std::string& story : stories) {
    CHECK(story.size() > 300);
    CHECK(story.size() < 2000);
  }
  // Not even half of the paragraphs come a second time.
  std::set<std::string> different;
  std::size_t paragraphs = 0;
  std::istringstream in(corpus);
  for (std::string line; std::getline(in, line); ++paragraphs) different.insert(line);
  CHECK(different.size() > paragraphs / 2);
}

TEST_CASE("story_corpus: has several hundred words", "[lab]") {
  CHECK(small_words(story_corpus(3, corpus_bytes)).size() > 700);
}

TEST_CASE("story_corpus: no sign of the grammar is left, and the punctuation is tidy", "[lab]") {
  const std::string corpus = story_corpus(11, corpus_bytes);
  for (const std::string& story : stories_of(corpus)) {
    INFO(story);
    REQUIRE(story.find_first_of("{}[]|@^~") == std::string::npos);
    for (const char* wrong : {"  ", " \n", "\n\n", "\n ", " .", " ,", " !", " ?", "..", ",,", "?,",
                              "!,", ".,", " a a", " a e", " a i", " a o", " the the "})
      REQUIRE(story.find(wrong) == std::string::npos);
    for (const char sign : story)
      REQUIRE((sign == '\n' || (sign >= ' ' && static_cast<unsigned char>(sign) < 0x7F)));
    std::istringstream in(story);
    for (std::string paragraph; std::getline(in, paragraph);) {
      REQUIRE(std::count(paragraph.begin(), paragraph.end(), '"') % 2 == 0);
      const char first = paragraph.front(), last = paragraph.back();
      REQUIRE((first == '"' || std::isupper(static_cast<unsigned char>(first)) != 0));
      REQUIRE(std::string(".!?\"").find(last) != std::string::npos);
    }
  }
}

TEST_CASE("story_corpus: after the end of a sentence comes a capital letter", "[lab]") {
  const std::string corpus = story_corpus(13, corpus_bytes);
  for (std::size_t i = 0; i + 2 < corpus.size(); ++i) {
    if ((corpus[i] != '.' && corpus[i] != '?' && corpus[i] != '!') || corpus[i + 1] != ' ')
      continue;
    const char next = corpus[i + 2] == '"' ? corpus[i + 3] : corpus[i + 2];
    INFO(corpus.substr(i < 60 ? 0 : i - 60, 120));
    REQUIRE(std::isupper(static_cast<unsigned char>(next)) != 0);
  }
}
