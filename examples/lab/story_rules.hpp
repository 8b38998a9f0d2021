// SPDX-License-Identifier: MIT
// examples/lab/story_rules.hpp: sentences that many stories share.
#ifndef LRQAT_LAB_STORY_RULES_HPP
#define LRQAT_LAB_STORY_RULES_HPP

#include <string_view>

namespace lrqat::lab::story {

// How the texts of the grammar are written, here and in story_plots.hpp:
// [a|b|c]  one of the alternatives        {name}    a word of this story, or one of these rules
// {^name}  with a capital letter          {a:name}  with "a" or "an" before it
// @        a new paragraph                line ends are spaces

struct Rule {
  std::string_view name, text;
};

inline constexpr Rule rules[] = {
    {"once", R"([Once upon a time|Once upon a time|Long ago|Once|In a small town|Not far from
      here], there [was|lived] {a:nature} [little |young |small |]{kind} named {hero}. {hobby})"},
    {"hobby", R"([|||{hero} liked to [sing|dance|paint|count the clouds|look at the stars|jump over
      puddles|pick flowers|listen to stories|climb trees|watch the ants].|{hero} had [a big
      smile|bright eyes|a loud laugh|a soft voice|a warm heart].|{hero} lived [in a small house|in
      a red house|at the end of the road|near the {place}] with {his} {grown}.|Everyone
      [liked|knew] {hero}.|{hero} loved {food} more than anything.|{His} favorite color was
      [red|blue|green|yellow].|{hero} was never bored.|{hero} asked many questions every day.])"},
    {"morning", R"([One {weather} [day|morning|afternoon]|One day|One morning|Early in the
      morning|After breakfast one day|On a {weather} day])"},
    {"day", "[One day|One morning|One afternoon|Then one day]"},
    {"scene", R"([The sun was warm and the birds sang in the trees.|The sky was blue and the air
      smelled of flowers.|Soft clouds moved slowly across the sky.|The wind made the leaves
      dance.|Bees flew from flower to flower.|The grass was still wet.|A bird sang a little
      song.|Everything was green and bright.||||])"},
    {"visit", R"([|||||On the way, {he} saw a {bug} [on a leaf|on a stone|in the grass]. "Hello,
      little {bug}," {he} said, and [it looked at {him}|it moved slowly away|{he} went on]. @|{He}
      stopped to [smell a flower|drink some water|look at a cloud that was like {a:animal}|listen
      to the wind]. @|{He} sang a little song as {he} walked. @])"},
    {"glad", "[happy|glad|very happy|so happy|full of joy|very glad]"},
    {"unhappy", "[sad|very sad|upset|so sad|unhappy]"},
    {"cried", R"([sat down and cried|looked at the ground|felt a tear on {his} cheek|wanted to
      cry|did not know what to do|hid {his} face|felt {unhappy}])"},
    {"hugged", R"([gave {fhim} a big hug|hugged {fhim}|smiled at {fhim}|danced around {fhim}|took
      {his} friend by the hand])"},
    {"why", R"("[What is wrong|Why are you sad|What happened|Why do you cry|What is the matter],
      {hero}?" [{friend} asked|asked {friend}|{fhe} asked].)"},
    {"thanks", R"("[Thank you|Thank you so much|Oh, thank you|You are so kind|You are a true
      friend], {friend}!" [said {hero}|{he} said|{hero} shouted].)"},
    {"play", R"([played together until the sun went down|played together all afternoon|laughed and
      played all day|had a lot of fun together|ran and jumped and laughed|played until it was time
      for dinner|had the best time|played one game after the other])"},
    {"home", R"([Then they went home for dinner.|When it got dark, they walked home side by
      side.|That night {hero} slept very well.|They were tired but happy.|{hero} told {his} {grown}
      all about it.|In the evening they looked at the stars.|They could not wait for the next
      day.||])"},
    {"always", "[From that day on|After that day|From then on|Since that day]"},
    {"proud", R"("[I am proud of you|Well done|You did the right thing|That was very good of you],
      {hero}," said {his} {grown}.)"},
    {"thought", R"([{hero} thought for a moment|{hero} thought and thought|{hero} was quiet for a
      while|{hero} took a deep breath])"},
};

}  // namespace lrqat::lab::story

#endif  // LRQAT_LAB_STORY_RULES_HPP
