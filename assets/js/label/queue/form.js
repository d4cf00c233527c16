// The form: meaning, class, the phrase's words by touch or arrows, its meaning; and the draft of it.

const form = one('.ctx-fields');
const { meaning: meaningField, class: classField, phraseMeaning: phraseField, also: alsoField } = form.elements;

const fillClasses = () => {
  classField.replaceChildren(
    ...['', ...props.classes].map((name) => {
      const option = make('option', '', name ? className(name) : t('no_class_yet'));
      option.value = name;
      option.hidden = !name; // a start, not a choice
      return option;
    }),
  );
};

const paintForm = () => {
  const { item, fields } = held;
  if (meaningField.value !== fields.meaning) meaningField.value = fields.meaning;
  classField.value = fields.class;
  if (phraseField.value !== fields.phraseMeaning) phraseField.value = fields.phraseMeaning;
  one('.ctx-chosen-phrase').textContent = fields.members.length ? phraseOf(item.pieces, fields.members) : t('no_phrase');
  one('.ctx-phrase-meaning').hidden = !fields.members.length;
  const others = alsoIds();
  one('.ctx-also').hidden = !others.length;
  if (others.length) one('.ctx-also span').textContent = t(fields.members.length ? 'also' : 'also_none', { words: alsoWords() });
  one('.ctx-broken').replaceChildren();
};

// Members whose own queries would get the same phrase (or, where it is taken out, none), too.
const alsoMembers = () => {
  const { item, fields } = held;
  if (item.status === 'conflict') return [];
  const before = item.standing ?? { members: [], phraseMeaning: '' };
  const same = before.members.join() === fields.members.join();
  if (same && (!fields.members.length || before.phraseMeaning === fields.phraseMeaning)) return [];
  const words = fields.members.length ? fields.members : before.members;
  return words.filter((w) => w !== item.position && String(w) in item.siblings);
};

const alsoIds = () => alsoMembers().map((w) => held.item.siblings[w]);
const alsoWords = () => alsoMembers().map((w) => held.item.pieces[2 * w + 1]).join(', ');

const change = (fields) => {
  Object.assign(held.fields, fields);
  held.anyway = false;
  keepDraft();
  paintAll();
};

const takeOver = (i) => {
  const answer = held.item && choicesOf(held.item)[i];
  if (answer?.status === 'rejected' && i < held.item.sides.length) return; // nothing to take over
  if (answer) change(copyOf(answer));
};

// The target is in every phrase; taking it out, or the last other word, means there is none.
const touchWord = (w) => {
  const { item, fields } = held;
  const members = new Set(fields.members);
  if (members.has(w)) members.delete(w);
  else members.add(w).add(item.position);
  const good = members.has(item.position) && members.size > 1;
  held.cursor = w;
  change({ members: good ? [...members].sort((a, b) => a - b) : [] });
  wordAt(w).focus({ preventScroll: true });
};

const moveCursor = (by) => {
  const last = (held.item.pieces.length - 3) / 2;
  held.cursor = Math.min(Math.max(held.cursor + by, 0), last);
  paintLine();
  wordAt(held.cursor).focus();
};

line.addEventListener('click', (event) => {
  const word = event.target.closest('[data-w]');
  if (word) touchWord(Number(word.dataset.w));
});

form.addEventListener('input', (event) => {
  const { name, value } = event.target;
  if (name in held.fields) change({ [name]: value });
});

// Drafts survive a reload, and the way to another query and back: the last few, by query.
const MOST_DRAFTS = 20;

const readDrafts = () => {
  try {
    const drafts = JSON.parse(recall('drafts'));
    return Array.isArray(drafts) ? drafts : [];
  } catch {
    return [];
  }
};

const keepDraft = () => {
  const others = readDrafts().filter((draft) => draft.id !== held.item.id);
  const drafts = [...others, { id: held.item.id, fields: held.fields }].slice(-MOST_DRAFTS);
  remember('drafts', JSON.stringify(drafts));
};

const dropDraft = (id) => remember('drafts', JSON.stringify(readDrafts().filter((draft) => draft.id !== id)));

const takeDraft = (item) => readDrafts().find((draft) => draft.id === item.id)?.fields ?? null;

const showBroken = (rules) => {
  const rows = rules.map((rule) => make('li', '', t('rule_' + rule)));
  rows.push(make('li', 'ctx-note', t('save_anyway', { key: keyOf('save') })));
  one('.ctx-broken').replaceChildren(...rows);
};
