// Keys. Silent while a field has the focus, a dialog is open, or a modifier is held.

const walk = (target) => target && choose(target, { focus: true, later: true });

const step = (by) => {
  const from = held.at ?? placeOf(tabStop);
  if (held.at || document.activeElement === tabStop) walk(from && wordBeside(from, by));
  else walk(firstWord());
};

const stepSentence = (by) => walk(sentenceBeside(held.at ?? placeOf(tabStop) ?? { s: -1 }, by));

const placeOf = (word) => word && { s: Number(word.dataset.s), w: Number(word.dataset.w) };

const close = () => {
  if (!form.hidden) return closeForm();
  const back = held.at && wordElement(held.at);
  closeCard();
  back?.focus({ preventScroll: true });
};

const help = () => one('.ctx-help').showModal();

// In a text that runs from right to left the next word is to the left.
const rightwards = () => (tabStop && getComputedStyle(tabStop).direction === 'rtl' ? -1 : 1);

const KEYS = {
  ArrowRight: () => step(rightwards()),
  n: () => step(1),
  ArrowLeft: () => step(-rightwards()),
  p: () => step(-1),
  s: () => stepSentence(1),
  S: () => stepSentence(-1),
  t: toggleWhole,
  c: copyCard,
  Escape: close,
  '?': help,
};

const isTyping = (target) =>
  target.closest?.('input, textarea, select, [contenteditable], dialog, [role=tab], [role=slider]');

document.addEventListener('keydown', (event) => {
  const reading = root.dataset.view === 'reading' && root.offsetParent !== null;
  if (!reading || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'Escape' && !form.hidden) return close();
  if (isTyping(event.target)) return;
  const word = event.target.closest?.('.ctx-w');
  const act = word && [' ', 'Enter'].includes(event.key) ? () => choose(placeOf(word)) : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
