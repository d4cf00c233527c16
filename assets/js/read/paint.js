// Marks in the passage: the chosen word, its phrase's words, and a line over what stands between.

const clearMarks = () => {
  passage.querySelectorAll('.ctx-here, .ctx-member').forEach((e) => {
    e.classList.remove('ctx-here', 'ctx-member');
    e.removeAttribute('aria-current');
  });
  globalThis.CSS?.highlights?.delete('ctx-gap');
};

const paint = (at, members = []) => {
  clearMarks();
  const here = wordElement(at);
  if (!here) return;
  here.classList.add('ctx-here');
  here.setAttribute('aria-current', 'true');
  const words = wordElements.get(at.s);
  members.forEach((w) => words[w]?.classList.add('ctx-member'));
  paintGaps(words, members);
};

// A highlight draws over the gaps without changing the text; browsers without it show the words.
const paintGaps = (words, members) => {
  if (members.length < 2 || !globalThis.CSS?.highlights) return;
  const ranges = members.slice(1).map((w, i) => {
    const range = new Range();
    range.setStartAfter(words[members[i]]);
    range.setEndBefore(words[w]);
    return range;
  });
  CSS.highlights.set('ctx-gap', new Highlight(...ranges));
};

// The phrase as it stands in the sentence, gaps as an ellipsis: call … back.
const phraseText = (at, members) =>
  members.map((w, i) => (i && w > members[i - 1] + 1 ? '… ' : '') + wordText(at.s, w)).join(' ');
