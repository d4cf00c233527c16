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

const takeStatus = (told) => {
  const before = model;
  const unanswered = before.pairs && !pairHeld().words;
  model = told;
  if (model.reader) {
    held.reader = model.reader;
    tellReader();
  }
  showModel();
  if (JSON.stringify(model.pairs) !== listed) showPairs();
  if (model.state !== before.state && !isComing()) whenReady.forEach((act) => act());
  const other = before.engine && model.engine && model.engine !== before.engine;
  if (other || (unanswered && pairHeld().words)) whenChanged.forEach((act) => act());
};
