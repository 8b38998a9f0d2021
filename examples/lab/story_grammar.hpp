// SPDX-License-Identifier: MIT
// examples/lab/story_grammar.hpp: small stories for children from a seed: the lab's own corpus.
#ifndef LRQAT_LAB_STORY_GRAMMAR_HPP
#define LRQAT_LAB_STORY_GRAMMAR_HPP

#include "story_plots.hpp"
#include "story_rules.hpp"
#include "story_words.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/core/rng.hpp>

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lrqat::lab {

/// The line that ends every story of a corpus.
inline constexpr std::string_view end_of_story = "<|endoftext|>";

/// The words of one story and its way through the grammar. Every choice is the next number of a
/// stream of random numbers that belongs to (seed, number).
class StoryTeller {
 public:
  StoryTeller(std::uint64_t seed, std::uint64_t number) : rng_(seed, number) {
    choose_people();
    choose_things();
  }

  /// The story, its paragraphs on a line each, without a newline at its end.
  std::string tell() {
    text_.clear();
    write(one_of(story::plots));
    while (!text_.empty() && text_.back() == ' ') text_.pop_back();
    return text_;
  }

 private:
  std::uint32_t draw(std::size_t bound) {
    return rng_.below(static_cast<std::uint32_t>(bound), next_++);
  }
  template <class T, std::size_t n>
  const T& one_of(const T (&all)[n]) {
    return all[draw(n)];
  }
  template <std::size_t n>
  std::string_view other_than(std::string_view taken, const std::string_view (&all)[n]) {
    std::string_view word = one_of(all);
    while (word == taken) word = one_of(all);
    return word;
  }

  void bind(std::string_view name, std::string_view word) { words_[std::string(name)] = word; }
  void bind_pronouns(std::string_view prefix, bool is_female) {
    const std::string start(prefix);
    bind(start + "he", is_female ? "she" : "he");
    bind(start + "him", is_female ? "her" : "him");
    bind(start + "his", is_female ? "her" : "his");
  }

  void choose_people() {
    const bool girl = draw(2) == 0, friend_girl = draw(2) == 0, woman = draw(2) == 0;
    const std::string_view hero = girl ? one_of(story::girls) : one_of(story::boys);
    const std::string_view helper =
        friend_girl ? other_than(hero, story::girls) : other_than(hero, story::boys);
    const std::string_view kind =
        draw(5) < 3 ? (girl ? "girl" : "boy") : one_of(story::animal_heroes);
    const bool friend_animal = draw(2) == 0;
    const std::string_view friend_kind =
        friend_animal ? other_than(kind, story::animal_heroes) : (friend_girl ? "girl" : "boy");
    bind("hero", hero);
    bind("kind", kind);
    bind_pronouns("", girl);
    bind("friend", helper);
    bind("fkind", friend_kind);
    bind_pronouns("f", friend_girl);
    bind("friend_who", friend_animal ? std::string(helper) + " the " + std::string(friend_kind)
                                     : words_.at("his") + " friend " + std::string(helper));
    bind("grown", woman ? one_of(story::grown_women) : one_of(story::grown_men));
    bind_pronouns("g", woman);
    bind("nature", one_of(story::natures));
  }

  void choose_things() {
    const auto& place = one_of(story::places);
    bind("place", place.name);
    bind("at", place.at);
    bind("to", place.to);
    bind("near", one_of(near_spots));
    bind("toy", one_of(story::toys));
    bind("toy2", other_than(words_.at("toy"), story::toys));
    bind("thing", one_of(story::things));
    bind("breakable", one_of(story::breakables));
    bind("skill", one_of(story::skills));
    bind("color", one_of(story::colors));
    bind("treasure", one_of(story::treasures));
    bind("food", one_of(story::foods));
    bind("food2", other_than(words_.at("food"), story::foods));
    bind("fruit", one_of(story::fruits));
    bind("plant", one_of(story::plants));
    bind("weather", one_of(story::weathers));
    bind("animal", one_of(story::small_animals));
    bind("bug", one_of(story::bugs));
    bind("spot", one_of(story::indoors));
    bind("spot2", other_than(words_.at("spot"), story::indoors));
    bind("spot3", one_of(story::outdoors));
    const auto& fear = one_of(story::fears);
    bind("fear", fear.thing);
    bind("attempt", fear.attempt);
    bind("reward", fear.reward);
    const auto& trait = one_of(story::traits);
    bind("trait", trait.trait);
    bind("trait_helps", trait.help);
    const auto& warning = one_of(story::warnings);
    bind("rule", warning.rule);
    bind("deed", warning.deed);
    bind("harm", warning.harm);
    bind("wisdom", warning.wisdom);
    const auto& work = one_of(story::works);
    bind("work", work.thing);
    bind("material", work.material);
    bind("accident", work.accident);
    bind("repair", work.repair);
  }

  /// Writes a text of the grammar; story_rules.hpp says what its signs mean.
  void write(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
      const char sign = text[i];
      if (sign == '[') {
        const std::size_t end = closing(text, i);
        write_alternative(text.substr(i + 1, end - i - 1));
        i = end + 1;
      } else if (sign == '{') {
        const std::size_t end = text.find('}', i);
        write_name(text.substr(i + 1, end - i - 1));
        i = end + 1;
      } else {
        put(sign);
        ++i;
      }
    }
  }

  /// The place of the bracket that closes the one at `open`.
  static std::size_t closing(std::string_view text, std::size_t open) {
    std::size_t depth = 0;
    for (std::size_t i = open; i < text.size(); ++i) {
      if (text[i] == '[') ++depth;
      if (text[i] == ']' && --depth == 0) return i;
    }
    fail("story grammar: a bracket is not closed in '", text.substr(open, 40), "'");
  }

  void write_alternative(std::string_view inside) {
    std::vector<std::string_view> alternatives;
    std::size_t start = 0, depth = 0;
    for (std::size_t i = 0; i < inside.size(); ++i) {
      if (inside[i] == '[') ++depth;
      if (inside[i] == ']') --depth;
      if (inside[i] != '|' || depth != 0) continue;
      alternatives.push_back(inside.substr(start, i - start));
      start = i + 1;
    }
    alternatives.push_back(inside.substr(start));
    write(alternatives[draw(alternatives.size())]);
  }

  /// A word or a rule by its name, with what stands before the name: ^ or a:. A name in capitals
  /// (He, His) is its word with a capital letter.
  void write_name(std::string_view name) {
    const bool with_article = name.starts_with("a:");
    if (with_article) name.remove_prefix(2);
    bool capital = name.starts_with('^');
    if (capital) name.remove_prefix(1);
    std::string key(name);
    if (std::isupper(static_cast<unsigned char>(key[0])) != 0) {
      key[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(key[0])));
      capital = true;
    }
    const std::size_t start = text_.size();
    const auto word = words_.find(key);
    if (word != words_.end()) {
      if (with_article)
        write(std::string_view("aeiou").find(word->second[0]) == std::string_view::npos ? "a "
                                                                                        : "an ");
      text_ += word->second;
    } else {
      write(rule(key));
    }
    if (capital && start < text_.size())
      text_[start] = static_cast<char>(std::toupper(static_cast<unsigned char>(text_[start])));
  }

  static std::string_view rule(std::string_view name) {
    for (const story::Rule& rule : story::rules)
      if (rule.name == name) return rule.text;
    fail("story grammar: there is no word and no rule '", name, "'");
  }

  /// One sign; spaces and line ends make one space between words and none around a paragraph.
  void put(char sign) {
    const bool at_start = text_.empty() || text_.back() == '\n';
    if (sign == ' ' || sign == '\n') {
      if (!at_start && text_.back() != ' ') text_ += ' ';
    } else if (sign == '@') {
      while (!text_.empty() && text_.back() == ' ') text_.pop_back();
      text_ += '\n';
    } else {
      text_ += sign;
    }
  }

  static constexpr std::string_view near_spots[] = {"under a tree",    "next to a big stone",
                                                    "beside the path", "near the old wall",
                                                    "behind a bush",   "at the edge of the grass"};

  CounterRng rng_;
  std::uint64_t next_ = 0;
  std::map<std::string, std::string> words_;
  std::string text_;
};

/// Story `number` of `seed`: always the same text.
inline std::string story_text(std::uint64_t seed, std::uint64_t number) {
  return StoryTeller(seed, number).tell();
}

/// Stories `first`, `first` + 1, ... until the text has at least `bytes` bytes; each is followed by
/// a line that ends it. Ranges that do not overlap are different text: training, test.
inline std::string story_corpus(std::uint64_t seed, std::size_t bytes, std::uint64_t first = 0) {
  std::string corpus;
  corpus.reserve(bytes + 2000);
  for (std::uint64_t number = first; corpus.size() < bytes; ++number) {
    corpus += story_text(seed, number);
    corpus += '\n';
    corpus += end_of_story;
    corpus += '\n';
  }
  return corpus;
}

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_STORY_GRAMMAR_HPP
