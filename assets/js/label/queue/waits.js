// What waits beside the queue: chips at its head, links at its end, and what was done today.

const KINDS = {
  conflicts: { status: 'conflict' },
  flagged: { status: 'flagged' },
  reported: { status: 'open', reported: true },
};
const MOST_WAITING = 1000; // counted no further

const waitCount = (n) => (n >= MOST_WAITING ? '1,000+' : String(n));
const leftText = (key, n) => t(n === 1 ? key + '_one' : key, { n: waitCount(n) });

// The kind that the filter shows alone, if any.
const kindShown = () => {
  const chosen = JSON.stringify(filter.read());
  return Object.keys(KINDS).find((kind) => JSON.stringify(KINDS[kind]) === chosen) ?? '';
};

const kindButton = (kind) => {
  const button = make('button', 'ctx-wait', leftText('waits_' + kind, held.waits[kind]));
  button.type = 'button';
  button.dataset.kind = kind;
  button.setAttribute('aria-pressed', String(kind === kindShown()));
  return button;
};

const paintWaits = () => {
  const shown = kindShown();
  const chips = ['conflicts', 'flagged'].filter((kind) => held.waits[kind] || kind === shown).map(kindButton);
  one('.ctx-waits').replaceChildren(...chips);
  const others = Object.keys(KINDS).filter((kind) => held.waits[kind] && kind !== shown).map(kindButton);
  one('.ctx-elsewhere').hidden = !others.length;
  one('.ctx-elsewhere div').replaceChildren(...others);
  root.querySelectorAll('.ctx-today').forEach((line) => {
    line.textContent = held.today ? t(held.today === 1 ? 'today_one' : 'today', { n: held.today.toLocaleString(language) }) : '';
  });
};

// A kind alone, or once more the whole queue; the address says which, so that it can be kept.
const showKind = (kind) => {
  filter.write(kind ? KINDS[kind] : {});
  history.replaceState(null, '', kind ? `#label/queue/${kind}` : '#label/queue');
  held.kind = kind;
  next();
};

// The kind that the address asks for.
const askedKind = () => {
  const kind = location.hash.split('/')[2] ?? '';
  return kind in KINDS ? kind : '';
};

// The evaluation and its row that the address asks for: #label/item/7/12.
const askedRow = () => location.hash.match(/^#label\/item\/(\d+)\/(\d+)$/)?.slice(1).map(Number);

// When this person's day began, here.
const dayBegan = () => {
  const day = new Date();
  day.setHours(0, 0, 0, 0);
  return day.toISOString();
};
