// The table of all queries: filtered, paged, with decisions about many rows at once.

const list = one('.ctx-rows');
const starts = [0]; // where each page so far begins
const chosen = new Set();
let shown = { rows: [], more: false, count: 0 };
let lastDecision = null;

const filter = makeFilter(one('.ctx-filter form'), () => {
  starts.length = 1;
  chosen.clear(); // what is not seen any more is not decided about
  load();
});

const rowOf = (row) => {
  const item = make('li', 'ctx-table-row');
  const mark = make('input', '');
  mark.type = 'checkbox';
  mark.checked = chosen.has(row.id);
  mark.dataset.choose = row.id;
  mark.setAttribute('aria-label', row.pieces[2 * row.position + 1]);
  const open = make('button', 'ctx-open ctx-bare');
  open.type = 'button';
  open.dataset.open = row.id;
  const sentence = make('span', 'ctx-table-line');
  sentence.lang = sourceTag();
  sentence.append(...sentenceParts(row.pieces, row.position, row.answer?.members ?? []));
  open.append(sentence, answerOf(row));
  item.append(mark, open, stateOf(row));
  return item;
};

const answerOf = (row) => {
  const answer = make('span', 'ctx-table-answer');
  if (!row.answer) return answer;
  const meaning = make('b', '', row.answer.meaning);
  meaning.lang = targetTag();
  answer.append(meaning, make('span', 'ctx-note', className(row.answer.class)));
  if (row.answer.members.length) {
    const phrase = `${phraseOf(row.pieces, row.answer.members)} | ${row.answer.phraseMeaning}`;
    answer.append(make('span', 'ctx-its-phrase', phrase));
  }
  return answer;
};

const stateOf = (row) => {
  const state = make('span', 'ctx-table-state ctx-note');
  state.append(make('span', '', t('status_' + row.status)));
  if (row.source) state.append(make('span', '', givenBy({ ...row, status: '' })));
  if (row.why) state.append(make('span', 'ctx-row-why', row.why));
  if (row.reported) state.append(make('span', '', t('filter_reported')));
  return state;
};

const paint = () => {
  list.replaceChildren(...shown.rows.map(rowOf));
  one('.ctx-none').hidden = shown.rows.length > 0;
  one('.ctx-turn').hidden = starts.length === 1 && !shown.more;
  one('.ctx-turn span').textContent = t('page_n', { n: starts.length });
  one('[data-do=back]').disabled = starts.length === 1;
  one('[data-do=on]').disabled = !shown.more;
  one('[data-do=review]').hidden = !shown.count;
  paintChosen();
  root.dataset.state = 'shown';
};

const paintChosen = () => {
  const n = chosen.size;
  one('.ctx-bulk').hidden = !n;
  one('.ctx-count').textContent = n
    ? t('chosen', { n: n.toLocaleString(language) })
    : t(shown.count === 1 ? 'found_one' : 'found', { n: countText(shown.count) });
  const all = one('.ctx-all input');
  const here = shown.rows.filter((row) => chosen.has(row.id)).length;
  all.disabled = !shown.rows.length; // a click before the rows are there would choose none
  all.checked = here > 0 && here === shown.rows.length;
  all.indeterminate = here > 0 && here < shown.rows.length;
};

let asked = 0;
const load = async () => {
  const mine = ++asked;
  const reply = await askReady('rows', { filter: filter.read(), after: starts.at(-1) }, (far) => {
    if (mine === asked) one('.ctx-count').textContent = far;
  });
  if (mine !== asked || reply.preparing) return;
  if (reply.error) return tell(errorText(reply));
  shown = reply;
  paint();
};

let hiding = 0;
const tell = (text, decision = null) => {
  lastDecision = decision;
  one('.ctx-toast span').textContent = text;
  one('.ctx-toast').classList.add('ctx-up');
  one('.ctx-toast button').hidden = decision === null;
  clearTimeout(hiding);
  hiding = setTimeout(() => one('.ctx-toast').classList.remove('ctx-up'), 9000);
};

const why = makeWhy(one('.ctx-flag-why'), (text) => {
  tell(text);
  load();
});

let busy = false;
const alone = async (act) => {
  if (busy) return;
  busy = true;
  try {
    await act();
  } finally {
    busy = false;
  }
};

const decideMany = async (kind) => {
  if (!person()) return tell(t('queue_no_name_how'));
  why.keep();
  const token = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  const reply = await ask('decide_many', { kind, ids: [...chosen], token });
  if (reply.error) return tell(errorText(reply));
  const left = chosen.size - reply.count;
  chosen.clear();
  const what = t({ accept: 'did_accept', reject: 'did_reject', flag: 'did_flag' }[kind]);
  tell(t(left ? 'did_many_but' : 'did_many', { n: reply.count, what, left }), reply.decision);
  if (kind === 'flag') why.offer(reply.decision, t('n_questions_flagged', { n: reply.count }));
  await load();
};

const undoMany = async () => {
  why.close();
  const reply = await ask('undo_many', { decision: lastDecision });
  tell(reply.error ? errorText(reply) : t('undid_many', { what: t('did_' + reply.kind), n: reply.count }));
  await load();
};

const sendToQueue = (detail) => window.dispatchEvent(new CustomEvent('ctx-review', { detail }));

const ACTIONS = {
  accept: () => alone(() => decideMany('accept')),
  reject: () => alone(() => decideMany('reject')),
  flag: () => alone(() => decideMany('flag')),
  undo: () => alone(undoMany),
  review: () => sendToQueue({ filter: filter.read() }),
  on: () => {
    starts.push(shown.rows.at(-1).id);
    load();
  },
  back: () => {
    starts.pop();
    load();
  },
};

root.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button?.dataset.open) sendToQueue({ id: Number(button.dataset.open) });
  else if (button?.dataset.do) ACTIONS[button.dataset.do]();
});

root.addEventListener('change', (event) => {
  const { choose } = event.target.dataset;
  if (choose) {
    if (event.target.checked) chosen.add(Number(choose));
    else chosen.delete(Number(choose));
    paintChosen();
  } else if (event.target === one('.ctx-all input')) {
    shown.rows.forEach((row) => (event.target.checked ? chosen.add(row.id) : chosen.delete(row.id)));
    paint();
  }
});

const showTexts = () => {
  fillTexts();
  filter.showTexts();
  why.showTexts();
  if (root.dataset.state === 'shown') paint();
};

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  showTexts();
});
showTexts();
if (isPhone()) one('.ctx-filter').open = false;
window.addEventListener('ctx-pair', () => {
  starts.length = 1;
  chosen.clear();
});
whenShown('table', () => {
  load();
  filter.askPeople();
});
