// Questions to the app, the answers already here, and looking ahead at what is on screen.

const known = new Map(); // sentence → the cards of its words
const single = new Map(); // "sentence:word" → card, where the whole sentence is not known yet
const impossible = new Set(); // sentences that cannot be looked up
const onScreen = new Set();

const cardOf = (at) => known.get(at.s)?.[at.w] ?? single.get(at.s + ':' + at.w);

const ask = async (name, question) => {
  await readerKnown;
  try {
    const reply = await server[name]({ reader: held.reader, version: held.version, ...question });
    return reply ?? { error: 'offline' }; // gradio's client gives undefined where the way fails
  } catch {
    return { error: 'offline' }; // or throws
  }
};

// Like `ask`; where the app has forgotten the passage (a restart), it is opened again first.
const askAboutText = async (name, question) => {
  const reply = await ask(name, question);
  if (reply.error !== 'stale') return reply;
  const { text, pair } = held;
  const opened = await ask('open', { text, pair });
  if (opened.error) return opened;
  if (held.text === text && held.pair === pair) held.version = opened.version;
  return ask(name, question);
};

const forgetCards = () => {
  known.clear();
  single.clear();
};

const forgetAnswers = () => {
  forgetCards();
  impossible.clear();
  forgetWhole();
  onScreen.clear();
};

// The sentences to look up next: the chosen word's, those on screen, and a few beyond.
const nearest = () => {
  const seen = [...onScreen].sort((a, b) => a - b);
  const beyond = seen.length ? [1, 2, 3, 4, 5, 6].map((n) => seen.at(-1) + n) : [];
  const order = new Set([...(held.at ? [held.at.s] : []), ...seen, ...beyond]);
  const open = (s) => s < held.sentences.length && !known.has(s) && !impossible.has(s);
  return [...order].filter(open).slice(0, 40);
};

const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 5000;
let pause = FIRST_PAUSE;
let sweepTimer = 0;

// Asks for the nearest sentences, takes what is known, and comes back while some are missing.
const sweep = async () => {
  const sentences = nearest();
  if (!sentences.length || !pairHeld().words || document.hidden || isComing()) return;
  const { version } = held;
  const { engine } = model;
  const reply = await askAboutText('look_ahead', { sentences });
  if (reply.error || version !== held.version || engine !== model.engine) {
    if (!reply.error) sweepSoon();
    return;
  }
  Object.entries(reply.known).forEach(([s, cards]) => known.set(Number(s), cards));
  reply.impossible.forEach((s) => impossible.add(s));
  pause = Object.keys(reply.known).length ? FIRST_PAUSE : Math.min(1.5 * pause, LONGEST_PAUSE);
  clearTimeout(sweepTimer);
  sweepTimer = setTimeout(sweep, pause);
};

const sweepSoon = () => {
  pause = FIRST_PAUSE;
  clearTimeout(sweepTimer);
  sweepTimer = setTimeout(sweep, 150); // scrolling reports many sentences one after the other
};

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const s = Number(entry.target.dataset.s);
    if (entry.isIntersecting) onScreen.add(s);
    else onScreen.delete(s);
  }
  sweepSoon();
});

document.addEventListener('visibilitychange', () => document.hidden || sweepSoon());
whenReady.push(sweepSoon);
