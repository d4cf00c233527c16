// The query that lies before the person, and what is painted of it.

// `item` is as the desk gave it; `fields` is the form: class, meaning, members, phraseMeaning.
const held = { item: null, fields: null, left: 0, waits: { conflicts: 0, flagged: 0, reported: 0 }, today: 0, kind: '', busy: false, again: null, anyway: false, cursor: 0 };

const setState = (state) => {
  root.dataset.state = state;
};

const line = one('.ctx-line');

const paintLine = () => {
  const { item, fields } = held;
  line.replaceChildren(...sentenceParts(item.pieces, item.position, fields.members, 'button'));
  line.querySelectorAll('button').forEach((word) => {
    const w = Number(word.dataset.w);
    word.type = 'button';
    word.tabIndex = w === held.cursor ? 0 : -1;
    word.setAttribute('aria-pressed', String(fields.members.includes(w)));
  });
};

const wordAt = (w) => line.querySelector(`[data-w="${w}"]`);

// Who else says what; the digit beside an answer takes it over.
const paintAnswers = () => {
  const { item, fields } = held;
  const shown = choicesOf(item).map((answer, i) => [answer, i]).slice(isConflict() ? item.sides.length : 0);
  const rows = shown.map(([answer, i]) => {
    const row = make('li', 'ctx-answer-row');
    const take = make('button', 'ctx-take');
    take.type = 'button';
    take.dataset.take = i;
    if (i < 9) take.append(make('kbd', '', String(i + 1)));
    const meaning = make('b', '', answer.meaning);
    meaning.lang = targetTag(item.pair);
    take.append(meaning, make('span', 'ctx-note', className(answer.class)));
    if (answer.members.length) {
      const phrase = `${phraseOf(item.pieces, answer.members)} | ${answer.phraseMeaning}`;
      take.append(make('span', 'ctx-its-phrase', phrase));
    }
    if (sameFields(answer, fields)) take.setAttribute('aria-current', 'true');
    const by = answer.by.filter((one) => !isConflict() || one.source !== 'person');
    row.append(take, make('p', 'ctx-note', by.map(givenBy).join(' · ')));
    return row;
  });
  one('.ctx-answers').replaceChildren(...rows);
  one('.ctx-beside h3').textContent = t(isConflict() ? 'model_answers' : 'other_answers');
  one('.ctx-beside h3').hidden = !rows.length && !item.blind;
  one('.ctx-blind').hidden = !item.blind;
};

const paintHistory = () => {
  const rows = held.item.history.map((event) => {
    const row = make('li', event.undone ? 'ctx-undone' : '');
    const when = new Date(event.when).toLocaleString(language, { dateStyle: 'short', timeStyle: 'short' });
    const who = event.who || t('source_' + event.source);
    row.append(make('span', 'ctx-note', when), ` ${who} · ${t('event_' + event.kind)}`);
    if (event.text) row.append(make('span', 'ctx-note', ' ' + event.text));
    if (event.undone) row.append(make('span', 'ctx-note', ' ' + t('taken_back')));
    return row;
  });
  one('.ctx-history ol').replaceChildren(...rows);
  one('.ctx-history').hidden = !rows.length;
};

const paintFlag = () => {
  const { item } = held;
  const told = item.answers.some((answer) => answer.by.some((by) => by.source === 'reader'));
  const complained = item.history.some((event) => event.kind === 'complaint');
  const state = { flagged: 'is_flagged', accepted: 'is_accepted', rejected: 'is_rejected' };
  const key = isConflict() ? '' : (state[item.status] ?? (told || complained ? (item.told ? 'is_told' : 'is_reported') : ''));
  one('.ctx-flag').textContent = key && t(key) + flagText(item.flag);
  one('.ctx-flag').dataset.kind = item.status;
};

// Who flagged it and why, where that is known.
const flagText = (flag) => (flag ? ` ${[flag.who, flag.why].filter(Boolean).join(': ')}` : '');

const sameFields = (a, b) =>
  a.class === b.class &&
  a.meaning === b.meaning &&
  a.members.join() === b.members.join() &&
  (!a.members.length || a.phraseMeaning === b.phraseMeaning);

const showItem = (item) => {
  const conflict = item.status === 'conflict'; // nobody's answer has a start
  const blank = { class: conflict ? '' : 'noun', meaning: '', members: [], phraseMeaning: '' };
  const best = conflict ? blank : (item.standing ?? item.answers[0]);
  held.item = item;
  held.cursor = item.position;
  held.fields = takeDraft(item) ?? copyOf(best ?? blank);
  held.anyway = false;
  setState('item');
  markLanguages(root, item.pair);
  one('.ctx-translation').textContent = item.translation;
  if (item.translator) {
    const mark = make('span', 'ctx-note', t('translated_by', { who: item.translator }));
    mark.lang = language;
    one('.ctx-translation').append(' ', mark);
  }
  one('.ctx-attribution').textContent = item.attribution;
  one('.ctx-history').open = false;
  paintFlag();
  paintHistory();
  printKeys();
  paintAll();
  if (!best) propose(item);
};

const copyOf = ({ class: name, meaning, members, phraseMeaning }) => ({
  class: name,
  meaning,
  members: [...members],
  phraseMeaning,
});

const paintAll = () => {
  paintLine();
  paintSides();
  paintAnswers();
  paintForm();
};

const showLeft = () => {
  one('.ctx-left').textContent = t(held.left === 1 ? 'left_one' : 'left', { n: countText(held.left) });
  paintWaits();
};

const showEmpty = (key, values = {}) => {
  held.item = null;
  const found = isFiltered();
  one('.ctx-empty h2').textContent = t(key, values);
  one('.ctx-empty p').textContent = t(key + '_how');
  one('.ctx-empty [data-do=bring]').hidden = found || key !== 'queue_done';
  one('.ctx-empty [data-do=clear_filter]').hidden = !found || key !== 'queue_done';
  one('.ctx-empty [data-do=again]').hidden = key === 'queue_no_name';
  one('.ctx-empty [data-do=undo]').hidden = key !== 'queue_done';
  root.dataset.mode = 'review';
  setState('empty');
};
