// What the reading page holds.

// `at` is the chosen word, {s: sentence, w: word}, both counted from 0.
const held = {
  reader: '',
  version: '',
  text: '',
  sentences: [], // each: gap, word, gap, word, …, gap
  pages: [0],
  page: 0,
  at: null,
};

const wordsIn = (s) => (held.sentences[s].length - 1) / 2;
const wordText = (s, w) => held.sentences[s][2 * w + 1];
