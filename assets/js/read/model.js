// How far the model is: the strip at the top, the footer, and what waits for "ready".

let model = props.value ?? { state: 'starting', progress: 0 };
// What there is for the pair of the text at hand.
const pairHeld = () =>
  (model.pairs ?? []).find(({ pair }) => pair === held.pair) ?? { pair: held.pair, words: false, sentences: false };

const whenChanged = []; // called when another model answers than before, or words that nobody answered
const whenReady = []; // called each time the model becomes ready or fails

const isComing = () => !['ready', 'failed'].includes(model.state);

// What to do, in the reader's language, and what the engine said of the case at hand.
const whyFailed = () => [t('model_' + model.errorCode), model.error].filter(Boolean).join(' — ');

const showModel = () => {
  const strip = one('.ctx-model');
  const percent = Math.round(100 * (model.progress || 0));
  strip.hidden = model.state === 'ready';
  strip.dataset.state = model.state;
  strip.querySelector('[role=status]').textContent = t('model_' + model.state, { percent });
  strip.querySelector('i').style.width = percent + '%';
  strip.querySelector('.ctx-model-error').textContent = model.state === 'failed' ? whyFailed() : '';
  one('.ctx-detail').textContent = model.detail || '';
};

let tellReader;
const readerKnown = new Promise((resolve) => {
  tellReader = resolve;
});

// Under which name the page asks: the app's word, by which it knows when the page is closed; where
// that does not come (some proxies hold such streams back), one of its own.
const nameReader = (reader) => {
  if (held.reader || !reader) return;
  held.reader = reader;
  tellReader();
};
const PATIENCE = 15000; // ms: a page opens slowly on a busy machine
setTimeout(() => nameReader('page-' + Math.random().toString(36).slice(2)), PATIENCE);

const takeStatus = (told) => {
  const before = model;
  const unanswered = before.pairs && !pairHeld().words;
  model = told;
  showModel();
  if (JSON.stringify(model.pairs) !== listed) showPairs();
  if (model.state !== before.state && !isComing()) whenReady.forEach((act) => act());
  const other = before.engine && model.engine && model.engine !== before.engine;
  if (other || (unanswered && pairHeld().words)) whenChanged.forEach((act) => act());
};

const OFTEN = 1000; // ms, while the model is on its way
const SELDOM = 4000; // once it is there: another may be promoted, where one can be

const followModel = async () => {
  if (!document.hidden) {
    const told = await ask('how_far', {});
    if (!told.error) takeStatus(told);
  }
  if (isComing() || !props.limits.hosted) setTimeout(followModel, isComing() ? OFTEN : SELDOM);
};
