// SPDX-License-Identifier: MIT
// examples/lab/story_plots.hpp: what happens in the stories of story_grammar.hpp.
#ifndef LRQAT_LAB_STORY_PLOTS_HPP
#define LRQAT_LAB_STORY_PLOTS_HPP

#include <string_view>

namespace lrqat::lab::story {

// The signs in these texts are explained in story_rules.hpp.
inline constexpr std::string_view plots[] = {
    // Something is lost, and a friend helps to look for it.
    R"({once} {He} had {a:color} {thing} that {he} loved very much. [{He} took it everywhere.|{He}
    had it with {him} every day.|It was a gift from {his} {grown}.|{He} kept it next to {his} bed.]
    @
    {morning}, {hero} could not find the {thing}. ["Where is my {thing}?" {he} cried.|"Oh no! My
    {thing} is gone!" {he} said.|{He} was very worried.|"It was here [last night|a moment ago],"
    {he} said.] {He} looked {spot}, but [it was not there|there was nothing|there were only some
    leaves]. {He} looked {spot2}, but [it was not there|there was only a {bug}|{he} found only an
    old sock|{he} saw only dust]. {hero} {cried}. @
    {^friend_who} [saw that {hero} was {unhappy}|came by|heard {him}]. {why} "I lost my
    {thing}," {hero} said. "[Do not worry|Do not cry|Don't be sad]. I will help you [look for
    it|find it]," said {friend}. ["When did you have it last?" {fhe} asked. "I had it {at}," said
    {hero}.|] @
    [Together they|The two friends|So they] looked {spot3}. [There it was!|And there was the
    {thing}!|"Look!" {friend} said. "Here it is!"] [The wind had blown it there.|A {animal} had
    taken it there to play.|{hero} had left it there before {his} nap.|It had fallen down and
    nobody had seen it.] {thanks} {He} {hugged}. [They {play}.|] {home} [{always}, {hero} always
    put {his} {thing} in a safe place.|{hero} learned that a good friend helps you when you are
    sad.|])",

    // Somebody will not share, and finds out why one should.
    R"({once} {morning}, {his} {grown} gave {him} {a:color} {toy}. {hero} was {glad}. {He} took it
    {to} to play. {scene} @
    {visit} {^friend_who} was {at} too. "[What a nice {toy}|I like your {toy}|Wow, {a:color}
    {toy}]! [Can I play with it|May I play too|Can I have a turn]?" {friend} asked. "[No! It is
    mine|No, go away|I want to play alone]!" said {hero}. {friend} [looked down and walked away|did
    not say a word and left|turned around slowly]. {Fhe} was {unhappy}. @
    {hero} played with the {toy} all alone. But [it was not fun|soon {he} was bored|{he} did not
    smile|the {toy} did not make {him} happy]. {He} looked at {friend}, who sat {near}. {thought}.
    Then {he} walked over and said, "I am sorry, {friend}. [Let us play together|We can share my
    {toy}|You can have a turn|I should not have said that]." @
    {friend} [smiled|jumped up|was {glad}]. They {play}. "[Playing together is more fun|It is much
    more fun with two|You are a good friend]," said {hero}. {home} [{hero} learned that it is good
    to share.|{always}, {hero} always shared {his} toys.|])",

    // Somebody is afraid of something, and grows brave.
    R"({once} {hero} liked to play {at}, but {he} was afraid of {fear}. [When the others laughed
    and played, {he} only watched.|{He} never told anyone about it.|Just to think of it made {him}
    shake.|{He} even had bad dreams about it.] @
    {morning}, {friend_who} said, "Come with me, {hero}!" "[I can't|No|I don't want to]," said
    {hero}. "I am [afraid|so afraid] of {fear}." {friend} did not laugh. "I was afraid too,
    [once|when I was little|not long ago]," {fhe} said. "[Hold my hand|Stay close to me|I am right
    here]. We will do it together." @
    {thought}. {His} [heart beat fast|legs shook|mouth was dry]. Slowly, {he} {attempt}. [Nothing
    bad happened.|It was not so bad.|{He} wanted to run, but {he} did not.|"You can do it," said
    {friend}.] Then {he} {reward}. "[Look, {friend}! I did it|I did it! I did it|It is wonderful]!"
    {he} shouted. "You are [very brave|the bravest of all]," said {friend}. @
    {hero} was {glad} and proud. [{He} did it again and again.|They {play}.|] {home} {always}, {he}
    was not afraid of {fear} [anymore|ever again].)",

    // A small animal is in trouble.
    R"({once} {morning}, {hero} went for a walk {at}. {scene} @
    {visit} Suddenly, {he} heard a small voice. "[Help! Please help me|Is somebody there? Help|Help
    me, please]!" {hero} looked {near} and saw a little {animal}. It was stuck [in a net|in the
    mud|under a heavy branch|between two stones|in a hole]. "[Oh, you poor thing|Do not be afraid,
    little {animal}|Wait, little {animal}]! I will help you," said {hero}. @
    {He} pulled and pulled, but [{he} was not strong enough|it did not work|the {animal} could not
    get out]. So {hero} ran to get {friend_who}. "Come quickly! A {animal} needs our help!" {he}
    [called|shouted]. {hero} and {friend} [pulled together as hard as they could|worked together
    and did not give up|used a long stick]. One, two, three! The {animal} was free. @
    "[Thank you, thank you|You saved me|I was so afraid]!" said the {animal}. "You are very kind."
    [The {animal} showed them a secret place with sweet berries.|The {animal} came to visit them
    every day.|The {animal} gave them a pretty little stone.|Then the {animal} went home to its
    mother.] [{hero}, {friend} and the {animal} became good friends.|They all {play}.|] [{hero} was
    {glad} that {he} had stopped to help.|{home}])",

    // A warning is not heeded.
    R"({once} {His} {grown} [always|often] said, "{hero}, please {rule}." ["Yes, yes," said {hero},
    but {he} did not listen.|{hero} did not know why.|But {hero} wanted to do it very much.|"Why
    not?" asked {hero}. "It is not safe," said {his} {grown}.] @
    {day}, {his} {grown} was [busy in the kitchen|asleep in a chair|out in the garden|talking to a
    friend]. {hero} thought, "[Nobody can see me|Just this one time|I am big enough]." So {he}
    {deed}. [At first it was fun.|It was so exciting!|{He} laughed out loud.|] But then {he}
    {harm}. "[Help|Oh no|Ouch]!" {hero} cried. @
    {His} {grown} [came running|heard {him} and came at once|ran as fast as {ghe} could]. "Are you
    okay, {hero}?" {ghe} asked. {hero} {cried}. "I am sorry. I did not listen," {he} said. {His}
    {grown} [held {him} close|hugged {him}|sat down next to {him}] and made everything
    [right|better] again. "[I am not angry|I was worried about you|It is all right]," {ghe} said.
    "I only want you to be safe." @
    {hero} learned that {wisdom}. {always}, {he} [always|] listened to {his} {grown}.)",

    // Something is built, falls, and is built again.
    R"({once} {hero} loved to build things. {day}, {he} had a big idea. "I will build the best
    {work} in the world!" {he} said. {He} found {material} and [worked hard|began to work|worked
    all morning]. [Soon the {work} was almost done.|It took a long time, but at last it was
    done.|{He} was very proud of it.] @
    But then {accident}. "Oh no!" said {hero}. "My {work} is [broken|gone|not good]!" {He} was so
    angry that {he} [kicked a stone|stamped {his} feet|sat down and would not talk|threw {his} hat
    on the ground]. @
    {^friend_who} came by. {why} {hero} told {fhim} about the {work}. "[Do not give up|Let us try
    again|That can happen to everyone], {hero}," said {friend}. "I think we should build it
    {repair}." {thought}. "[That is a good idea|You are right|We can try that]," {he} said. So they
    worked together. {hero} held things, and {friend} put them in place. @
    This time the {work} was [strong and tall|even better|just right]. "[We did it|It is
    perfect|What a {work}]!" they shouted. They {play}. {hero} learned that [you should never give
    up|you can try again when something goes wrong|two friends can do more than one].)",

    // A surprise for a birthday, and something is missing.
    R"({once} {day}, it was the birthday of {his} best friend, {friend}. "I will make {fhim} a cake
    with {fruit} on top," said {hero}. {He} looked in the kitchen. There was [flour and there was
    milk|butter and there were eggs|sugar and there was flour], but there were no {fruit}! @
    "What can I do?" {hero} asked {his} {grown}. "[Maybe the old woman next door has some|Go and
    ask the farmer|Maybe you can find some at the market]," said {his} {grown}. So {hero}
    [went|ran|walked] there. "Please, may I have some {fruit}? It is for a birthday," {he} said.
    "[Of course|Yes], but first help me to [sweep the floor|feed the hens|carry the wood|wash the
    windows|find my glasses]," was the answer. @
    {hero} worked hard and got a basket full of {fruit}. {visit} {He} ran home, and {his} {grown}
    helped {him} to bake. The cake smelled [so good|sweet and warm|wonderful]. @
    When {friend} saw the cake, {fhe} [jumped up and down|clapped and laughed|could not believe
    it|was {glad}]. "[Happy birthday|This is for you], {friend}!" said {hero}. "It is the best cake
    ever! Thank you," said {friend}. They [ate the cake together|shared the cake with everyone] and
    {play}. {home})",

    // A race, and what is more than winning.
    R"({once} {hero} was very fast. {He} liked to run {at} every day. {morning}, there was a big
    race. {^friend_who} wanted to race too. "I will win," said {hero}. "[I am the fastest of
    all|Nobody is as fast as me|Just watch me]!" @
    One, two, three, go! {hero} ran as fast as the wind. [Soon {he} was far ahead.|The others were
    far behind.|] But then {he} heard a cry. {friend} had [tripped over a root|stepped on a sharp
    stone|slipped on the wet grass|hurt {fhis} foot] and could not get up. @
    {hero} stopped. {He} could see the end of the race. [{He} wanted to win so much.|It was so
    near.|] But {friend} was hurt. So {hero} turned around and ran back. "[Lean on me|Take my
    hand|I will help you], {friend}," {he} said. Together they walked, step by step, to the end. @
    They were the very last. But everyone [clapped for them|cheered|was proud of them]. "You did
    not win the race," said {his} {grown}, "but you [have a good heart|are a good friend]. I am
    proud of you." {hero} was {glad}. {friend} hugged {him} and said, "You are the best friend in
    the world.")",

    // Rain on the day of a picnic.
    R"({once} {morning}, {hero} and {friend_who} wanted to have a picnic {at}. They packed {food}
    and {food2} and a big bottle of [juice|milk|water]. "[This will be the best day|I can't wait|I
    am so hungry already]!" said {friend}. @
    But when they [opened the door|got there|sat down], [it began to rain|dark clouds came and rain
    fell down]. Soon everything was wet. {hero} was {unhappy}. "[Our picnic is ruined,|Now we can't
    have our picnic,|Why does it have to rain today?]" {he} said. @
    {His} {grown} smiled. "I have an idea," {ghe} said. {Ghe} put a big blanket on the floor and
    made a [tent out of sheets|house out of chairs]. "Here is your picnic place!" {hero} and
    {friend} sat inside and ate all the {food}. They [told funny stories|sang songs|listened to the
    rain|played cards] and laughed. @
    [After a while, the rain stopped and there was a rainbow in the sky.|When the sun came back,
    they jumped in the puddles.|It rained all day, but nobody was sad.] "This was [a wonderful
    day|the best picnic ever|so much fun]," said {hero}. "Even the rain can be [fun|good].")",

    // A seed needs patience.
    R"({once} {morning}, {his} {grown} gave {him} a tiny seed. "[Put it in the ground and give it
    water every day|Take good care of it], and you will see something wonderful," {ghe} said.
    {hero} dug a small hole {near} and put the seed inside. @
    The next day, {hero} ran to look. There was nothing. {He} gave it water. The day after, there
    was still nothing. "[It does not work|Maybe the seed is asleep|My seed is no good]," said
    {hero}. "[Be patient|Wait and see|Don't give up]," said {his} {grown}. "Good things take time."
    @
    So {hero} waited. {He} gave it water when it was dry. [{He} chased a {bug} away.|{He} sang to
    it at night.|{He} put a little fence around it.|] Then, one morning, there was a small green
    leaf! "[It is growing|Look, look|There it is]!" shouted {hero}. @
    Every day the plant grew [bigger and bigger|a little more]. At last it was a beautiful {plant}.
    {hero} showed it to {friend_who}. "[Did you do this all alone|How did you do it|Is it real]?"
    asked {friend}. "[I waited and I took care of it|The sun and the rain helped me]," said {hero}
    and smiled. {proud})",

    // Somebody new is shy.
    R"({once} {He} had many friends. They liked to play {at}. {morning}, {hero} saw somebody new
    {near}. It was {a:fkind} named {friend}. {friend} [looked very shy|was all alone|did not say a
    word|looked {unhappy}]. @
    "[Hello|Hi]! I am {hero}. Do you want to play with us?" {hero} asked. {friend} shook {fhis}
    head. "I do not know [how to play your game|anyone here]," {fhe} said quietly. "[That is
    okay|That does not matter|Don't worry]. I will show you," said {hero}. @
    {hero} got {his} {color} {toy} and [showed {friend} what to do|gave it to {friend}]. At first
    {friend} [made mistakes|was slow|only watched], but nobody laughed. Soon {fhe} [was very
    good|laughed and shouted with the others|did not feel shy anymore]. They {play}. @
    "Thank you for being so nice to me," said {friend}. "I was afraid that nobody would like me."
    "[I like you a lot|You are my friend now|We all like you]," said {hero}. [{always}, they played
    together every day.|And they were best friends ever after.|{home}])",

    // Something found that belongs to somebody.
    R"({once} {morning}, {hero} was walking {at} when {he} saw something shiny {near}. It was a
    {treasure}! [It was very beautiful.|{He} had never seen one so pretty.|It was as bright as the
    sun.] "[I want to keep it|Now I am rich|What luck]," thought {hero} and put it in {his} bag. @
    {visit} On the way home, {he} met an old [man|woman] who was looking at the ground. "[What are
    you looking for|Can I help you|Did you lose something]?" asked {hero}. "I lost my {treasure},"
    was the answer. "[It was a gift from my mother|I have had it for so many years]. Now it is
    gone." @
    {thought}. {He} wanted to keep the {treasure}, but {he} knew that it was not {his} own. {He}
    opened {his} bag. "Is this yours? I found it {near}," {he} said. "[Yes! Yes! You are so
    honest|Oh, I am so happy|That is it! Thank you]!" @
    {hero} felt warm inside. [As a thank you, {he} got a bag of {food}.|The two sat on a bench and
    ate {food} together.|That evening {he} told {his} {grown} about it. {proud}] {hero} learned
    that it is good to tell the truth.)",

    // A noise in the night.
    R"({once} One night, {hero} could not sleep. It was very dark, and {he} heard a strange noise.
    [Tap, tap, tap!|Scratch, scratch!|Bump, bump!|Hoo, hoo!] "What is that?" {he} thought. {He} hid
    under the blanket. @
    The noise came again. {hero} [ran to {his} {grown}|called {his} {grown}]. "There is a monster
    {spot}!" {he} said. {His} {grown} took a lamp and held {hero}'s hand. "[Let us look together|We
    will find out|There are no monsters]," {ghe} said. @
    Very slowly, they went to look {spot}. And what did they see? It was not a monster at all. It
    was a little {animal}! It was [cold and hungry|wet from the rain|lost and afraid]. "[It only
    wanted to come inside|It was looking for food]," said {his} {grown}. @
    {hero} [laughed|had to smile|was not afraid now]. {He} gave the {animal} some
    [milk|water|{food}] and a soft blanket. "Good night, little {animal}," {he} said. Then {he}
    went back to bed and [slept until the morning|dreamed of a {animal} in a boat]. {always}, {he}
    was not afraid of noises in the night.)",

    // A kindness comes back.
    R"({once} {morning}, {hero} took a bag with [three|four|five] {food} and went {to} to eat them.
    {scene} On the way {he} met a hungry {animal}. "[Please, can I have something to eat|I have not
    eaten all day|I am so hungry]," said the {animal}. {hero} was hungry too, but {he} [gave the
    {animal} one|shared with the {animal}]. "Thank you. I will not forget it," said the {animal}. @
    {hero} walked on and on. Then {he} looked around. [The path was gone.|All the trees looked the
    same.] {He} was lost! It was getting dark, and {he} was {unhappy}. "Hello? Is anybody there?"
    {he} called. @
    Then {he} heard a voice. It was the {animal}! "[You helped me, now I will help you|Come with
    me. I know the way]," it said. It went ahead, and {hero} followed [over the hill|past the
    river|through the tall grass], until {he} could see the light of {his} house. @
    {His} {grown} was waiting at the door. "[Where were you, {hero}?|I was so worried,
    {hero}!|There you are, {hero}!]" {ghe} said. {hero} told {ghim} about the {animal}. [They put
    some {food2} in front of the door for it.|"A kind heart always finds a friend," said {his}
    {grown}.])",

    // A swap, and back.
    R"({once} {He} had {a:color} {toy}, but {he} wanted {a:toy2}. {morning}, {hero} met
    {friend_who} {at}. {friend} had {a:toy2}! "[Do you want to trade|Shall we trade]?" asked
    {hero}. "[Yes|Okay]!" said {friend}. So {hero} gave {fhim} the {toy} and took the {toy2}. @
    At first {hero} was {glad}. But in the evening {he} thought about {his} old {toy}. [{He} missed
    it.|{He} could not sleep.|It had been {his} best toy.] {hero} looked at the {toy2} and [did not
    want it anymore|felt {unhappy}]. @
    The next day, {he} ran to {friend}. "[Can I have my {toy} back?|I made a mistake,|I want my old
    {toy},]" {he} said in a small voice. {friend} laughed. "I wanted to ask you the same thing! I
    miss my {toy2}," {fhe} said. They traded again, and both of them were {glad}. @
    "Let us play with both of them," said {friend}. And they {play}. {home} {hero} learned that
    [what you have is often the best|you can be happy with your own things].)",

    // Hard work for somebody who is ill.
    R"({once} {day}, {his} {grown} was sick and had to stay in bed. "Who will [cook the soup|feed
    the hens|clean the house] today?" {ghe} asked. "I will!" said {hero}. @
    It was not easy. First {he} [spilled the water|dropped a plate|forgot the salt]. Then {he}
    could not reach [the top shelf|the big spoon|the broom]. {hero} wanted to stop. But {he}
    thought of {his} {grown} and [tried again|went on]. {^friend_who} came to help. "[You wash and
    I dry|Two are faster than one|Let me help you]," said {friend}. @
    When everything was done, {hero} brought {his} {grown} a cup of tea and some {food}. "Did you
    do all this?" {ghe} asked. "{friend} helped me," said {hero}. {His} {grown} [smiled|was
    {glad}|sat up in bed]. "You two make me feel better already." @
    {hero} was tired but {glad}. {always}, {he} helped {his} {grown} every day.)",

    // Something breaks, and the truth is told.
    R"({once} {His} {grown} had a beautiful {breakable}. "Please do not play near it," {ghe} said.
    {day}, {hero} [threw {his} {color} ball in the house|danced around the table|ran through the
    room]. Crash! The {breakable} fell down and broke. @
    {hero} was afraid. {He} [hid the pieces {spot}|put the pieces under {his} bed|ran away and
    hid]. When {his} {grown} came home, {ghe} asked, "Where is my {breakable}?" "I don't know,"
    said {hero}. "[Maybe the wind took it|Maybe it was the cat]." But {he} [felt bad inside|could
    not eat {his} dinner|could not sleep]. @
    {thought}. Then {he} went to {his} {grown} and told the truth. "I broke it, and I hid it. I am
    so sorry," {he} said. {His} {grown} [was quiet|looked at {him} for a long time|took {his}
    hand]. "I am sad about the {breakable}," {ghe} said. "But I am {glad} that you told me." @
    [Together they put the pieces back with glue.|They went to the market and found a new
    one.|{hero} painted a picture of it for {ghim}.] {hero} learned that [it is better to tell the
    truth|the truth makes your heart light].)",

    // Practice.
    R"({once} More than anything, {hero} wanted to learn how to {skill}. {^friend_who} could do it
    very well. {day}, {hero} tried it too. {He} tried once, {he} tried twice, but {he} [could not
    do it|fell down|got it all wrong]. Some of the others laughed, and {hero} {cried}. @
    "[I will never learn it|It is too hard|I am not good at anything]," {he} said. "Nobody can do
    it the first time," said {friend}. "I [tried for many days|needed a whole summer]. [Try a
    little every day|I will show you how], and you will see." @
    So {hero} tried every day. {He} tried in the morning and {he} tried in the evening. [Sometimes
    {he} was tired, but {he} did not stop.|{His} {grown} watched and smiled.|Every day it was a
    little better.] And then, one {weather} day, it worked! @
    "[Look at me|I can do it|Did you see that]!" shouted {hero}. Everyone clapped, and {friend}
    clapped the loudest. {proud} {hero} was {glad}. Now {he} could {skill} too, and {he} never
    forgot how {he} had learned it.)",

    // Somebody is teased for what later helps.
    R"({once} {hero} had a friend, {friend}. {friend} had very {trait}, and {hero} often laughed
    about it. "You look so funny with your {trait}!" {he} said. {friend} did not laugh. {Fhe} was
    {unhappy} and [went home|stayed away|said nothing]. @
    {morning}, {hero} went {to} alone. {scene} {visit} {He} did not look where {he} was going, and
    [fell into a deep hole|got stuck between two rocks|fell into the cold water]. "Help! Help!"
    {he} cried. But nobody came. @
    Far away, {friend} {trait_helps}. {Fhe} ran [as fast as {fhe} could|at once] and pulled {hero}
    out. "You saved me!" said {hero}. "[How did you find me|How did you do that]?" "It was easy,"
    said {friend}, "with my {trait}." @
    {hero} felt [ashamed|very sorry]. "I am sorry that I laughed at you," {he} said. "Your {trait}
    are wonderful." {friend} smiled, and they {play}. {always}, {hero} never laughed at anyone
    again.)",

    // The moon is too far away.
    R"({once} Every night {he} looked at the [moon|bright moon|round moon]. "It looks like a [big
    cookie|silver ball|little lamp]. I want to touch it!" {he} said. {day}, {he} asked {friend_who}
    to help {him}. "[We need a very tall ladder|We must climb the highest hill]," said {friend}. @
    So that night they climbed up and up. {hero} [stood on a big rock|jumped as high as {he}
    could|held out {his} arms]. But the moon was still too far away. {hero} {cried}. "[I will never
    touch it|It does not like me]," {he} said. @
    Then {friend} pointed to the pond. "Look, {hero}! There it is!" The moon was shining in the
    water. {hero} ran down and put {his} hand in. The moon [broke into a hundred little
    lights|danced and shook|laughed], and then it was round again. "I touched it!" {he} shouted. @
    At home, {he} told {his} {grown}. "[Sometimes what we want is nearer than we think|You are
    clever]," said {his} {grown}. {hero} [fell asleep with a smile|dreamed of the moon all
    night|looked out of the window once more]. "Good night, moon," {he} said.)",

    // A gift that gives.
    R"({once} {morning}, {hero} found {a:color} [stone|feather|shell|lamp] {near}. When {he}
    touched it, {he} heard a voice. "I am magic. Say what you want to eat, and you will have it."
    "{^food}!" said {hero}. And there they were, a whole plate of {food}! @
    {hero} ate and ate. "More {food}!" {he} said, and then, "More {food2}!" Soon {he} was so full
    that {he} could not [move|walk|laugh]. {His} tummy hurt. "[This is no fun|I ate too much],"
    {he} said. @
    Then {he} saw {friend_who}, who had nothing to eat. {hero} had a better idea. {He} said the
    magic words again, but this time {he} gave everything to {friend}. And [all the others came
    too|many hungry animals came too], and there was enough for everyone. @
    {friend} said, "This is the best day of my life!" {hero} was {glad}. "[Magic is better when you
    share it|It tastes better with friends]," {he} said. {home})",

    // A messy room.
    R"({once} {His} room was a big mess. There were socks {spot}, there were toys {spot2}, and
    there was an old apple on the floor. "Please clean your room, {hero}," said {his} {grown}.
    "[Later|I don't want to|I am too busy]," said {hero}, and went {to} to play. @
    In the evening, {he} wanted to play with {his} {toy}, but {he} could not find it. {He} looked
    here and {he} looked there. {He} [stepped on a toy car and hurt {his} foot|tripped and fell].
    "Ouch! I can't find anything in this mess!" {he} cried. @
    "Shall I help you?" asked {friend_who}. "[You take the socks and I take the toys|Let us make it
    a game]," {fhe} said. They picked up one thing after the other and sang a song. And {spot},
    what did they find? The {toy}! @
    Now the room was clean and [bright|big]. "[It looks so nice|Now we have room to play]," said
    {hero}, and they {play}. {proud} {always}, {hero} put {his} things away every evening.)",

    // A song in front of everyone.
    R"({once} {He} had a very beautiful voice, but {he} only sang when {he} was alone. {morning},
    {friend_who} heard {him} sing {at}. "That was so pretty! Will you sing at the [summer
    party|market|school]?" {friend} asked. "[Oh no|I can't]," said {hero}. "Everyone would look at
    me." @
    But {friend} asked again and again, and at last {hero} said yes. When the day came, {hero}
    stood in front of everyone. {His} [legs shook|heart beat fast|mouth was dry]. {He} opened {his}
    mouth, but no sound came out. Somebody coughed. {hero} wanted to run away. @
    Then {friend} began to sing, very softly and [a little wrong|not well at all]. {hero} had to
    smile. {He} took {fhis} hand and sang too, first quietly and then louder and louder. {His}
    voice [filled the whole place|was like a bird's]. @
    When the song was over, everyone clapped. "[Again|One more song]!" they shouted. {hero} was
    {glad}. "I was not brave," {he} said to {friend}. "You were brave for me." {home})",
};

}  // namespace lrqat::lab::story

#endif  // LRQAT_LAB_STORY_PLOTS_HPP
