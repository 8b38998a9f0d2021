// SPDX-License-Identifier: MIT
// examples/lab/story_words.hpp: who and what the stories of story_grammar.hpp are about.
#ifndef LRQAT_LAB_STORY_WORDS_HPP
#define LRQAT_LAB_STORY_WORDS_HPP

#include <string_view>

namespace lrqat::lab::story {

using Words = const std::string_view[];

inline constexpr Words girls = {"Lily", "Mia",  "Anna", "Sue",   "Rosie", "Ella", "Lucy",
                                "Zoe",  "Emma", "Nora", "Daisy", "Ruby",  "Molly"};
inline constexpr Words boys = {"Tom",  "Ben", "Max",  "Sam",   "Leo", "Tim",  "Jack",
                               "Finn", "Bob", "Noah", "Oscar", "Pip", "Teddy"};
inline constexpr Words animal_heroes = {"rabbit", "bear", "fox",   "mouse", "duck",
                                        "cat",    "dog",  "puppy", "pig",   "squirrel"};
inline constexpr Words small_animals = {"bird",     "kitten",   "turtle",    "frog",
                                        "duckling", "hedgehog", "butterfly", "lamb"};
inline constexpr Words natures = {"kind",  "happy", "curious", "clever", "quiet",
                                  "funny", "brave", "gentle",  "busy",   "cheerful"};
inline constexpr Words grown_women = {"mom", "mom", "grandma", "aunt"};
inline constexpr Words grown_men = {"dad", "dad", "grandpa", "uncle"};

inline constexpr Words colors = {"red", "blue", "green",  "yellow", "shiny", "new",   "little",
                                 "big", "soft", "pretty", "orange", "old",   "purple"};
inline constexpr Words toys = {
    "ball",       "kite",   "doll",   "drum",  "toy car", "toy boat", "toy train", "wagon",
    "teddy bear", "bucket", "puzzle", "robot", "whistle", "hoop",     "jump rope", "toy horse"};
inline constexpr Words things = {"ball", "kite",    "doll",    "hat", "scarf",      "book",
                                 "cup",  "blanket", "whistle", "bag", "teddy bear", "toy boat"};
inline constexpr Words breakables = {"vase", "bowl", "teapot", "plate", "mirror", "jar", "clock"};
inline constexpr Words skills = {"ride a bike", "swim",          "whistle",
                                 "skate",       "read",          "bake bread",
                                 "fly a kite",  "play the drum", "jump over the rope",
                                 "juggle"};
inline constexpr Words treasures = {"ring",     "coin",  "key",      "watch", "necklace",
                                    "bracelet", "purse", "gold cup", "bell",  "silver spoon"};
inline constexpr Words foods = {"apples",  "cookies",  "berries", "cherries", "pancakes",
                                "carrots", "muffins",  "pears",   "cakes",    "sandwiches",
                                "peaches", "tomatoes", "nuts",    "buns"};
inline constexpr Words fruits = {"apples",  "cherries", "berries",      "pears",
                                 "peaches", "plums",    "strawberries", "nuts"};
inline constexpr Words plants = {"sunflower", "bean",  "pumpkin",    "rose",
                                 "carrot",    "tulip", "strawberry", "tomato"};
inline constexpr Words weathers = {"sunny", "warm",   "windy", "bright",
                                   "cold",  "cloudy", "quiet", "fine"};
inline constexpr Words bugs = {"spider", "beetle", "snail", "worm", "ladybug"};

/// Where a thing may hide.
inline constexpr Words indoors = {"under the bed",     "behind the door", "under the table",
                                  "in the toy box",    "in the kitchen",  "under the stairs",
                                  "behind the chair",  "in the closet",   "near the oven",
                                  "in the big basket", "on the shelf",    "behind the curtain"};
inline constexpr Words outdoors = {
    "in the tall grass", "under a bench",        "behind a big rock", "next to the fence",
    "near the well",     "between two old logs", "behind the shed",   "in the flower bed",
    "behind the tree",   "under the apple tree"};

/// A place: how one is there, and how one goes there.
struct Place {
  std::string_view name, at, to;
};
inline constexpr Place places[] = {{"park", "in the park", "to the park"},
                                   {"garden", "in the garden", "to the garden"},
                                   {"forest", "in the forest", "to the forest"},
                                   {"beach", "at the beach", "to the beach"},
                                   {"farm", "on the farm", "to the farm"},
                                   {"lake", "by the lake", "to the lake"},
                                   {"river", "by the river", "to the river"},
                                   {"hill", "on the hill", "to the hill"},
                                   {"field", "in the field", "to the field"},
                                   {"pond", "by the pond", "to the pond"},
                                   {"meadow", "in the meadow", "to the meadow"},
                                   {"playground", "at the playground", "to the playground"}};

/// Something to be afraid of: its name, what it takes to get over it, and what is good about it.
struct Fear {
  std::string_view thing, attempt, reward;
};
inline constexpr Fear fears[] = {
    {"the dark", "turned off the lamp", "saw a hundred stars in the window"},
    {"the deep water", "put one foot into the water", "swam like a little fish"},
    {"the big slide", "climbed up the tall ladder", "flew down as fast as the wind"},
    {"loud thunder", "looked out at the storm", "saw a bright light dance in the sky"},
    {"the tall bridge", "took one small step on the bridge", "saw the fish swim far below"},
    {"the old dog next door", "held out a hand to the dog", "felt the dog's soft warm ears"},
    {"the high swing", "sat down on the swing", "touched the leaves with both feet"},
    {"the big horse", "walked up to the horse", "rode all around the field"}};

/// Something that is forbidden: the warning, the deed, and what comes of it.
struct Warning {
  std::string_view rule, deed, harm, wisdom;
};
inline constexpr Warning warnings[] = {
    {"do not run near the pond", "ran around the pond", "slipped on the wet grass and fell in",
     "the ground near the water is slippery"},
    {"do not touch the hot pot", "touched the pot with one finger", "got a small burn",
     "hot things can hurt you"},
    {"do not climb the old tree", "climbed up to the top", "heard a branch break and fell down",
     "old branches are not strong"},
    {"do not eat all the sweets", "ate every sweet in the jar", "got a very bad tummy ache",
     "too many sweets make you sick"},
    {"do not pet the goose", "put a hand on the goose", "had to run with the goose close behind",
     "not every animal wants to be touched"},
    {"do not play with the glass bowl", "spun the bowl around and around",
     "dropped it and it broke into many pieces", "glass breaks very easily"},
    {"do not open the gate", "opened the gate a little", "saw all the chickens run away",
     "the gate keeps the chickens safe"},
    {"do not go far from the house", "walked far into the trees", "could not find the way back",
     "it is easy to get lost"}};

/// Something to build: what it is made of, what knocks it down, and what makes it stand.
struct Work {
  std::string_view thing, material, accident, repair;
};
inline constexpr Work works[] = {
    {"sand castle", "wet sand and little shells", "a big wave washed it away",
     "farther from the water"},
    {"tower", "wooden blocks", "it fell down with a crash", "with the big blocks at the bottom"},
    {"tree house", "old boards and a rope", "the floor began to shake", "with many more nails"},
    {"cart", "four wheels and a wooden box", "one wheel came off",
     "with a strong nail in each wheel"},
    {"fort", "chairs and blankets", "the roof fell in", "with a tall broom in the middle"},
    {"raft", "logs and string", "the logs drifted apart", "with a much stronger rope"},
    {"bird house", "a box and some sticks", "the wind blew it off the tree",
     "with a strong knot around the branch"},
    {"bridge", "flat stones", "the stones sank into the mud", "with one very long board"}};

/// What somebody is teased for, and what it is good for.
struct Trait {
  std::string_view trait, help;
};
inline constexpr Trait traits[] = {{"big ears", "heard the cry with those big ears"},
                                   {"long legs", "heard the cry and took the longest steps"},
                                   {"big eyes", "saw everything with those big eyes"},
                                   {"long arms", "heard the cry and came with a rope"},
                                   {"big feet", "heard the cry and jumped over the river"}};

}  // namespace lrqat::lab::story

#endif  // LRQAT_LAB_STORY_WORDS_HPP
