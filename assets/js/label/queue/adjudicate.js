// Adjudication: where people decided differently, their answers stand side by side, field by field.
// A digit takes one over; nobody's has a start.

const isConflict = () => held.item?.status === 'conflict';

// What the digits take over: people's answers first, where they do not agree, then the others.
const choicesOf = (item) => {
  if (item.status !== 'conflict') return item.answers;
  const others = item.answers.filter((answer) => answer.by.some((by) => by.source !== 'person'));
  return [...item.sides, ...others];
};

// Each field as a row: its caption, and what a side says in it, as text.
const SIDE_FIELDS = [
  ['side_decision', (side) => t('status_' + side.status)],
  ['field_meaning', (side) => side.meaning, targetTag],
  ['field_class', (side) => className(side.class)],
  ['field_phrase', (side, pieces) => phraseOf(pieces, side.members) || t('no_phrase'), sourceTag],
  ['phrase_meaning', (side) => (side.members.length ? side.phraseMeaning : '–'), targetTag],
];

const cell = (tag, text, lang = '') => {
  const made = make(tag, '', text);
  if (lang) made.lang = lang;
  return made;
};

const sideRow = (item, [caption, said, tagOf]) => {
  const row = make('tr', '');
  row.dataset.field = caption;
  const texts = item.sides.map((side) => said(side, item.pieces));
  const head = cell('th', t(caption));
  head.scope = 'row';
  if (new Set(texts).size > 1) {
    row.className = 'ctx-differs';
    head.append(' ', make('span', 'ctx-differs-mark', '≠'), make('span', 'ctx-away', t('differs_here')));
  }
  row.append(head, ...texts.map((text) => cell('td', text, tagOf?.(item.pair))));
  return row;
};

// One key a side: its digit fills the form with it; who rejected is agreed with by rejecting.
const takeRow = (item) => {
  const row = make('tr', 'ctx-side-take');
  row.append(
    make('td', ''),
    ...item.sides.map((side, i) => {
      const button = make('button', 'ctx-take-side', side.status === 'rejected' ? t('do_reject') : t('take_over'));
      button.type = 'button';
      const key = side.status === 'rejected' ? keyOf('reject') : i < 9 ? String(i + 1) : '';
      if (side.status === 'rejected') button.dataset.do = 'reject';
      else button.dataset.take = i;
      button.setAttribute('aria-pressed', String(side.status !== 'rejected' && sameFields(side, held.fields)));
      if (key) button.append(make('kbd', '', key));
      const box = make('td', '');
      box.append(button);
      return box;
    }),
  );
  return row;
};

const paintSides = () => {
  const { item } = held;
  root.dataset.mode = isConflict() ? 'adjudicate' : 'review';
  one('.ctx-adjudicate').hidden = !isConflict();
  if (!isConflict()) return;
  const names = make('tr', '');
  names.append(
    make('td', ''),
    ...item.sides.map((side) => {
      const head = cell('th', side.who);
      head.scope = 'col';
      return head;
    }),
  );
  const head = make('thead', '');
  head.append(names);
  const body = make('tbody', '');
  body.append(...SIDE_FIELDS.map((field) => sideRow(item, field)), takeRow(item));
  one('.ctx-sides').replaceChildren(head, body);
  one('.ctx-conflicts-left').textContent = leftText('conflicts_left', held.waits.conflicts);
};
