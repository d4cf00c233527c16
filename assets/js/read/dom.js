// What the reading page holds.

// `at` is the chosen word, {s: sentence, w: word}, both counted from 0.
const held = {
  reader: '',
  version: '',
  pair: USUAL_PAIR, // of the text at hand
  text: '',
  sentences: [], // each: gap, word, gap, word, …, gap
  pages: [0],
  page: 0,
  at: null,
  other: null, // the language that the text looks like, where the pair is not read in it
};

const wordsIn = (s) => (held.sentences[s].length - 1) / 2;
const wordText = (s, w) => held.sentences[s][2 * w + 1];
