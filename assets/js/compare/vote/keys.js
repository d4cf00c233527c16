// Keys for the four choices, printed on the buttons and changed by the person; the arrows always
// work. Silent while a field has the focus.

const DEFAULT_KEYS = { first: '1', second: '2', both: '3', neither: '4' };
const ARROWS = { ArrowLeft: 'first', ArrowRight: 'second', ArrowUp: 'both', ArrowDown: 'neither' };

const readKeys = () => {
  try {
    const kept = JSON.parse(recall('keys.vote')) ?? {};
    return { ...DEFAULT_KEYS, ...Object.fromEntries(Object.entries(kept).filter(([name]) => name in DEFAULT_KEYS)) };
  } catch {
    return { ...DEFAULT_KEYS };
  }
};

let keys = readKeys();

const paintChoices = () => {
  one('.ctx-ballot-choices').replaceChildren(
    ...CHOICES.map((name) => {
      const choice = button('', 'choose', 'ctx-vote-choice');
      choice.dataset.choice = name;
      choice.append(make('span', '', t('choose_' + name)), make('kbd', '', keys[name].toUpperCase()));
      choice.setAttribute('aria-keyshortcuts', keys[name]);
      return choice;
    }),
  );
  one('.ctx-vote-keys .ctx-row').replaceChildren(
    ...CHOICES.map((name) => {
      const key = button(`${t('choose_' + name)}: ${keys[name].toUpperCase()}`, 'key', 'ctx-vote-key');
      key.dataset.key = name;
      return key;
    }),
  );
};

// Another key pressed on an action's button; the action that had it gets this one's.
const changeKey = (name, key) => {
  const other = CHOICES.find((one) => keys[one] === key);
  if (other) keys[other] = keys[name];
  keys[name] = key;
  remember('keys.vote', JSON.stringify(keys));
  paintChoices();
  one(`[data-key="${name}"]`).focus();
};

document.addEventListener('keydown', (event) => {
  if (!isShown() || root.dataset.state !== 'ballot' || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.('input, select, textarea')) return;
  const { key: name } = event.target.dataset ?? {};
  if (name && /^[^\s]$/.test(event.key)) {
    event.preventDefault();
    return changeKey(name, event.key.toLowerCase());
  }
  const choice = ARROWS[event.key] ?? CHOICES.find((one) => keys[one] === event.key.toLowerCase());
  if (!choice) return;
  event.preventDefault();
  if (!event.repeat) vote(choice); // a key that is held votes once
});
