// Getting a text: pasted, an example, from the link's fragment, or the one of last time. Forgetting it.

const field = one('textarea');
const note = one('.ctx-note');
const LONG_LINK = 8000; // characters that nearly every app passes on

const show = (view) => {
  root.dataset.view = view;
  one('[data-do=cancel]').hidden = !held.sentences.length;
};

const openText = async (text) => {
  if (!text.trim()) {
    field.focus();
    return false;
  }
  note.textContent = t('opening');
  const pair = wanted;
  const reply = await ask('open', { text, pair });
  note.textContent = reply.error ? errorText(reply) : '';
  if (reply.error) {
    field.value = text;
    show('editing');
    return false;
  }
  closeCard();
  forgetAnswers();
  const { version, sentences, pages, language: other } = reply;
  Object.assign(held, { text, pair, version, sentences, pages, other });
  remember('text', text);
  showPairs();
  remember('page', null);
  showPage(0);
  showCount();
  show('reading');
  scrollTo(0, 0);
  return true;
};

const showCount = () => {
  const n = held.sentences.reduce((sum, pieces) => sum + (pieces.length - 1) / 2, 0);
  one('.ctx-count').textContent = t('words_count', { n: n.toLocaleString(language) });
};

// A text that the reader brings replaces the one in the address.
const openNew = async (text) => {
  if ((await openText(text)) && location.hash) history.replaceState(null, '', location.pathname + location.search);
};

// What the address says: #pair=de-en&text=…, or one of the two. A text without a pair is in the usual.
const linkedPair = () => {
  const said = location.hash.match(/^#pair=([\w-]+)/)?.[1];
  return usable(said ?? (location.hash.startsWith('#text=') ? USUAL_PAIR : null));
};

const linkedText = () => {
  const text = location.hash.match(/^#(?:pair=[\w-]+&)?text=(.*)$/)?.[1];
  if (text === undefined) return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return null; // cut in the middle of a character
  }
};

const start = async () => {
  held.pair = linkedPair() ?? usable(recall('pair')) ?? pairsHere()[0] ?? USUAL_PAIR;
  want(held.pair);
  const linked = linkedText();
  const text = linked ?? recall('text');
  const page = linked ? 0 : Number(recall('page')) || 0;
  const [s, w] = (linked ? '' : (recall('at') ?? '')).split(':').map(Number);
  if (!text || !(await openText(text))) return show('editing');
  if (page > 0 && page < held.pages.length) showPage(page);
  if (page > 0) remember('page', String(page));
  if (w >= 0 && s < held.sentences.length && w < wordsIn(s) && !isPhone()) choose({ s, w });
};

const linkTo = (pair) => (pair === USUAL_PAIR ? '#text=' : `#pair=${pair}&text=`);

const copyLink = async () => {
  const link = location.href.split('#')[0] + linkTo(held.pair) + encodeURIComponent(held.text);
  const key = link.length > LONG_LINK ? 'link_long' : 'link_copied';
  const done = await copyText(link);
  toast(t(done ? key : 'copy_failed', { n: Math.ceil(link.length / 1000) }));
};

// Back to the text, in the pair that was chosen meanwhile.
const leaveEditor = () => {
  show('reading');
  readIn(wanted);
};

const changeText = () => {
  field.value = held.text;
  checkLength();
  show('editing');
  field.focus();
  field.select();
};

let sureTimer = 0;
// Asks once more on the button itself; a second press within five seconds forgets.
const forgetText = async (button) => {
  if (!button.dataset.sure) {
    button.dataset.sure = 'yes';
    button.textContent = t('forget_sure');
    sureTimer = setTimeout(() => calm(button), 5000);
    return;
  }
  calm(button);
  const reply = await askAboutText('forget', {});
  if (reply.error) return toast(errorText(reply));
  closeCard();
  forgetAnswers();
  Object.assign(held, { text: '', version: '', sentences: [], pages: [0], page: 0, other: null });
  passage.replaceChildren();
  emptyCard();
  ['text', 'page', 'at', 'kept'].forEach((key) => remember(key, null));
  history.replaceState(null, '', location.pathname + location.search);
  field.value = '';
  show('editing');
  toast(t('forgotten'));
};

const calm = (button) => {
  clearTimeout(sureTimer);
  delete button.dataset.sure;
  button.textContent = t('forget');
};

const checkLength = () => {
  const over = field.value.length - props.limits.passage;
  note.textContent = over > 0 ? t('chars_left_over', { n: over, limit: props.limits.passage }) : '';
};

const showExamples = () => {
  const items = props.examples.map((example, i) => {
    if (example.language !== sourceOf(wanted)) return null;
    const item = make('li', '');
    const button = make('button', 'ctx-example');
    button.type = 'button';
    button.dataset.example = i;
    const n = example.text.split(/\s+/).length;
    const first = make('span', 'ctx-example-text', example.text.split('\n')[0]);
    first.lang = example.language;
    button.append(
      make('strong', '', example[language]),
      make('small', '', t('words_count', { n: n.toLocaleString(language) })),
      first,
    );
    item.append(button);
    return item;
  });
  one('.ctx-examples').replaceChildren(...items.filter(Boolean));
};

field.addEventListener('input', checkLength);
field.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) openNew(field.value);
});
addEventListener('hashchange', () => {
  const pair = linkedPair();
  if (linkedText()) {
    if (pair) want(pair);
    openText(linkedText());
  } else if (pair) {
    readIn(pair);
  }
});
