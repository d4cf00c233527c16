// Keys, printed on the buttons and changed by the person. Silent while a field has the focus, but
// for Enter, which saves, and Escape, which leaves the field.

const DEFAULT_KEYS = { save: 'a', reject: 'r', skip: 's', flag: 'f', why: 'n', undo: 'u', meaning: 'e', class: 'c', phrase: 'w', phraseMeaning: 'm' };

const readKeys = () => {
  try {
    const kept = JSON.parse(recall('keys.queue')) ?? {};
    return { ...DEFAULT_KEYS, ...Object.fromEntries(Object.entries(kept).filter(([name]) => name in DEFAULT_KEYS)) };
  } catch {
    return { ...DEFAULT_KEYS };
  }
};

let keys = readKeys();
const keyOf = (name) => keys[name].toUpperCase();

const DO = {
  save: () => decide('save'),
  reject: () => decide('reject'),
  skip: () => decide('skip'),
  flag: () => decide(held.item?.status === 'flagged' ? 'unflag' : 'flag'),
  why: () => why.focus(),
  undo,
  meaning: () => meaningField.select(),
  class: () => classField.focus(),
  phrase: () => wordAt(held.cursor).focus(),
  phraseMeaning: () => (held.fields.members.length ? phraseField.select() : wordAt(held.cursor).focus()),
};

// What a button is called for an item of such a state.
const LABELS = { flagged: { flag: 'do_unflag' }, conflict: { save: 'do_settle' } };

const printKeys = () => {
  root.querySelectorAll('.ctx-keys-bar [data-do]').forEach((button) => {
    const name = button.dataset.do;
    const label = LABELS[held.item?.status]?.[name] ?? 'do_' + name;
    button.replaceChildren(make('span', '', t(label)), make('kbd', '', keyOf(name)));
    button.setAttribute('aria-keyshortcuts', keys[name]);
  });
  const captions = { meaning: meaningField, class: classField, phraseMeaning: phraseField };
  for (const [name, field] of Object.entries(captions)) {
    field.setAttribute('aria-keyshortcuts', keys[name]);
    const caption = field.closest('label').querySelector('span');
    caption.replaceChildren(t(caption.dataset.t), make('kbd', '', keyOf(name)));
  }
  const caption = one('.ctx-caption');
  caption.replaceChildren(t(caption.dataset.t), make('kbd', '', keyOf('phrase')));
};

// The dialog: each action with its key; pressing another key there changes it.
const showKeymap = () => {
  const rows = Object.keys(DEFAULT_KEYS).flatMap((name) => {
    const key = make('button', 'ctx-key', keyOf(name));
    key.type = 'button';
    key.dataset.key = name;
    const cell = make('dt', '');
    cell.append(key);
    return [cell, make('dd', '', t('key_' + name))];
  });
  const fixed = [['1 … 9', 'key_take'], ['← →', 'key_arrows'], ['Space', 'key_space'], ['Enter', 'key_enter'], ['Esc', 'key_escape']];
  for (const [key, text] of fixed) {
    const cell = make('dt', '');
    cell.append(make('kbd', '', key));
    rows.push(cell, make('dd', '', t(text)));
  }
  one('.ctx-keymap').replaceChildren(...rows);
};

const dialog = one('.ctx-help');
const overlapField = one('.ctx-overlap select');

const openKeys = async () => {
  showKeymap();
  dialog.showModal();
  const reply = await ask('overlap');
  overlapField.replaceChildren(
    ...[1, 2, 3, 4, 5].map((n) => {
      const option = make('option', '', String(n));
      option.selected = n === reply.people;
      return option;
    }),
  );
};

// It opens decided questions again or closes open ones, for everybody: not by the select alone.
const applyOverlap = async () => {
  const reply = await ask('overlap', { people: Number(overlapField.value) });
  dialog.close();
  if (reply.error) return toast(errorText(reply));
  toast(t('overlap_set', { n: reply.people }));
  next();
};

dialog.addEventListener('keydown', (event) => {
  const { key: name } = event.target.dataset;
  if (!name || event.key.length !== 1 || /[\s\d?]/.test(event.key)) return;
  event.preventDefault();
  const key = event.key.toLowerCase();
  const other = Object.keys(keys).find((action) => keys[action] === key);
  if (other && other !== name) keys[other] = keys[name];
  keys[name] = key;
  remember('keys.queue', JSON.stringify(keys));
  showKeymap();
  printKeys();
  one(`[data-key="${name}"]`).focus();
});

const resetKeys = () => {
  keys = { ...DEFAULT_KEYS };
  remember('keys.queue', null);
  showKeymap();
  printKeys();
};

const onWord = (event) => event.target.closest?.('.ctx-line [data-w]');

document.addEventListener('keydown', (event) => {
  if (!isShown() || dialog.open || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const field = event.target.closest?.('input, select, textarea');
  if (field && !root.contains(field)) return;
  if (event.key === 'Escape' && field) return field.blur();
  if (event.key === 'Enter' && (onWord(event) || !event.target.closest?.('button, summary'))) {
    if (field && !form.contains(field)) return;
    event.preventDefault();
    return event.repeat ? undefined : DO.save();
  }
  if (field && field.type !== 'checkbox') return;
  if (event.key === '?') return openKeys();
  if (!held.item) {
    const name = ['undo', 'why'].find((action) => keys[action] === event.key.toLowerCase());
    if (!name) return;
    event.preventDefault(); // the key would be typed into the field that it opens
    return DO[name]();
  }
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by && !event.target.closest?.('[role=toolbar], summary')) {
    event.preventDefault();
    return moveCursor(onWord(event) ? by : 0);
  }
  if (onWord(event) && event.key === ' ') {
    event.preventDefault();
    return touchWord(Number(onWord(event).dataset.w));
  }
  const name = Object.keys(keys).find((action) => keys[action] === event.key.toLowerCase());
  if (!name && !/^[1-9]$/.test(event.key)) return;
  event.preventDefault();
  if (event.repeat) return; // a key that is held decides once
  if (name) DO[name]();
  else takeOver(Number(event.key) - 1);
});
