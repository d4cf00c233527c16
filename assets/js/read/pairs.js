// The pair that is read: chosen above the text, remembered, in the link. A text that looks like
// another language's is pointed out; the pair changes only when the reader says so.

let wanted = USUAL_PAIR; // what the next text is opened in; held.pair is what this one was

const pairsHere = () => (model.pairs ?? []).map(({ pair }) => pair);
const usable = (pair) => (pairsHere().includes(pair) ? pair : null);

const choosers = root.querySelectorAll('select.ctx-pair');
let listed = '';

const showPairs = () => {
  listed = JSON.stringify(model.pairs);
  choosers.forEach((chooser) => fillPairs(chooser, pairsHere(), wanted));
  const from = { language: languageName(sourceOf(wanted)) };
  field.placeholder = t('paste_placeholder', from);
  field.setAttribute('aria-label', t('paste_label', from));
  markLanguages(root, held.pair);
  markLanguages(one('.ctx-editor'), wanted);
  const { words, sentences } = pairHeld();
  const into = { language: languageName(targetOf(held.pair)) };
  const whole = !words && sentences;
  one('.ctx-hint-click').textContent = t(whole ? 'card_hint_whole' : 'card_hint', into);
  one('.ctx-hint-tap').textContent = t(whole ? 'card_hint_whole_phone' : 'card_hint_phone', into);
  one('.ctx-hint-phrase').hidden = !words;
  showOther();
};

const want = (pair) => {
  wanted = pair;
  remember('pair', pair);
  showPairs();
  showExamples();
};

// Another pair for the text at hand: it is opened anew, at the same word where its words are the same.
const readIn = async (pair) => {
  want(pair);
  if (root.dataset.view !== 'reading' || pair === held.pair) return;
  const { page, at } = held;
  const same = sourceOf(pair) === sourceOf(held.pair);
  if (!(await openText(held.text)) || !same) return;
  if (page < held.pages.length && page) turnPage(page);
  if (at) choose(at);
};

choosers.forEach((chooser) => chooser.addEventListener('change', () => readIn(chooser.value)));

// The pairs that read this language: into the same one as now if there is such.
const pairFrom = (code) => {
  const pairs = pairsHere().filter((pair) => sourceOf(pair) === code);
  const into = (target) => pairs.find((pair) => targetOf(pair) === target);
  return into(targetOf(held.pair)) ?? into(language.split('-')[0]) ?? pairs[0];
};

const aboutText = () => `${held.pair} ${held.text.slice(0, 80)}`;

const showOther = () => {
  const { other } = held;
  one('.ctx-other').hidden = !other || recall('kept') === aboutText();
  if (!other) return;
  const pair = pairFrom(other);
  const names = { found: languageName(other), read: languageName(sourceOf(held.pair)) };
  one('.ctx-other p').textContent = t(pair ? 'other_language' : 'other_language_none', names);
  const button = one('[data-do=switch_pair]');
  button.hidden = !pair;
  if (!pair) return;
  button.textContent = t('switch_pair', { pair: pairName(pair) });
  button.dataset.pair = pair;
};

const keepPair = () => {
  remember('kept', aboutText());
  showOther();
  (tabStop ?? one('.ctx-tools select')).focus({ preventScroll: true });
};
