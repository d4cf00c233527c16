// The passage on screen: paragraphs, sentences, words, pages. One word at a time can be tabbed to.

const passage = one('.ctx-passage');
const wordElements = new Map(); // sentence → its words' elements, of the page on screen
let tabStop = null;

const wordElement = (at) => wordElements.get(at.s)?.[at.w];

const pageOf = (s) => held.pages.findLastIndex((first) => first <= s);
const pageEnd = (page) => held.pages[page + 1] ?? held.sentences.length;

const makeSentence = (s, foldLines) => {
  const made = make('span', 'ctx-s');
  made.dataset.s = s;
  const words = [];
  held.sentences[s].forEach((piece, i) => {
    if (i % 2) {
      const word = make('span', 'ctx-w', piece);
      word.setAttribute('role', 'button');
      word.tabIndex = -1;
      word.dataset.s = s;
      word.dataset.w = words.length;
      words.push(word);
      made.append(word);
    } else {
      const last = i === held.sentences[s].length - 1;
      made.append(foldLines || last ? piece.replace(/\s*[\r\n]\s*/g, last ? '' : ' ') : piece);
      if (foldLines && last && /\s$/.test(piece)) made.append(' ');
    }
  });
  wordElements.set(s, words);
  return made;
};

// Text whose lines break inside sentences is wrapped by hand: only blank lines count there.
const isWrapped = () => held.sentences.some((pieces) => pieces.slice(0, -1).some((p) => /\n/.test(p)));

// Each paragraph runs in its own direction.
const newParagraph = () => {
  const made = make('p', '');
  made.dir = 'auto';
  return made;
};

const showPage = (page) => {
  held.page = page;
  watcher.disconnect();
  onScreen.clear();
  wordElements.clear();
  const wrapped = isWrapped();
  const parts = document.createDocumentFragment();
  let paragraph = newParagraph();
  for (let s = held.pages[page]; s < pageEnd(page); s++) {
    paragraph.append(makeSentence(s, wrapped));
    const tail = held.sentences[s].at(-1);
    if (/\n\s*\n/.test(tail)) {
      parts.append(paragraph);
      paragraph = newParagraph();
    } else if (!wrapped && tail.includes('\n')) {
      paragraph.append(make('br', ''));
    }
  }
  parts.append(paragraph);
  passage.replaceChildren(parts);
  passage.querySelectorAll('.ctx-s').forEach((s) => watcher.observe(s));
  const first = wordElements.get(held.pages[page])?.[0] ?? passage.querySelector('.ctx-w');
  if (first) setTabStop(first);
  showPager();
};

const showPager = () => {
  const count = held.pages.length;
  one('.ctx-pager').hidden = count < 2;
  one('.ctx-pager [role=status]').textContent = t('page_of', { n: held.page + 1, count });
  one('[data-do=previous_page]').disabled = held.page === 0;
  one('[data-do=next_page]').disabled = held.page === count - 1;
};

const turnPage = (page) => {
  closeCard();
  showPage(page);
  remember('page', String(page));
  one('.ctx-page').scrollIntoView({ block: 'start' });
};

const setTabStop = (word) => {
  if (tabStop) tabStop.tabIndex = -1;
  tabStop = word;
  tabStop.tabIndex = 0;
};

// The word `step` words on (or back), over sentences without words; null at the ends.
const wordBeside = (at, step) => {
  let { s, w } = at;
  w += step;
  while (s >= 0 && s < held.sentences.length) {
    if (w >= 0 && w < wordsIn(s)) return { s, w };
    s += step;
    if (s >= 0 && s < held.sentences.length) w = step > 0 ? 0 : wordsIn(s) - 1;
  }
  return null;
};

// The first word of the next (or previous) sentence that has words.
const sentenceBeside = (at, step) => {
  for (let s = at.s + step; s >= 0 && s < held.sentences.length; s += step) {
    if (wordsIn(s)) return { s, w: 0 };
  }
  return null;
};

const firstWord = () => wordBeside({ s: held.pages[held.page], w: -1 }, 1);

const showWord = (at) => {
  if (pageOf(at.s) !== held.page) {
    showPage(pageOf(at.s));
    remember('page', String(held.page));
  }
  return wordElement(at);
};
