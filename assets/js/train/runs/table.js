// The table of all runs: sorted, searched, some of them ticked.

const COLUMNS = {
  run: { text: 'col_run', of: (run) => run.id },
  dataset: { text: 'col_dataset', of: (run) => run.dataset.toLowerCase() },
  state: { text: 'col_state', of: (run) => `${run.state} ${String(run.place).padStart(6, '0')}` },
  score: { text: 'col_score', of: (run) => run.score ?? -1 },
  speed: { text: 'col_speed', of: (run) => run.speed ?? -1 },
  created: { text: 'col_created', of: (run) => run.created },
  note: { text: 'col_note', of: (run) => run.note.toLowerCase() },
};

let runs = null;
let sorted = { by: 'run', down: true };
const chosen = new Set(); // in the order in which they were ticked
const searchField = one('.ctx-runs-search input');

const pairText = ({ pair }) => (pair ? pairName(pair) : '');

const found = () => {
  const words = searchField.value.toLowerCase().split(/\s+/).filter(Boolean);
  const textOf = (run) => [run.id, runName(run), t('kind_' + run.kind), run.dataset, pairText(run), run.note, run.who, shortState(run)].join(' ').toLowerCase();
  const kept = runs.filter((run) => words.every((word) => textOf(run).includes(word)));
  const { of } = COLUMNS[sorted.by];
  const order = (a, b) => (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : a.id - b.id);
  return kept.sort((a, b) => (sorted.down ? order(b, a) : order(a, b)));
};

const headRow = () => {
  const row = make('tr', '');
  const choose = make('th', 'ctx-run-choose');
  row.append(choose);
  for (const [name, column] of Object.entries(COLUMNS)) {
    const cell = make('th', `ctx-col-${name}`);
    const here = sorted.by === name;
    cell.setAttribute('aria-sort', here ? (sorted.down ? 'descending' : 'ascending') : 'none');
    const sort = button(t(column.text), 'sort', 'ctx-bare');
    sort.dataset.by = name;
    sort.setAttribute('aria-label', t('sort_by', { name: t(column.text) }));
    if (here) sort.append(make('span', 'ctx-sorted', sorted.down ? ' ↓' : ' ↑'));
    cell.append(sort);
    row.append(cell);
  }
  return row;
};

const LABELLED = ['score', 'speed']; // a number says nothing where there is no column above it
const cell = (name, ...parts) => {
  const made = make('td', `ctx-col-${name}`);
  if (LABELLED.includes(name)) made.dataset.label = t(COLUMNS[name].text);
  made.append(...parts);
  return made;
};

const stateCell = (run) => {
  const text = make('span', 'ctx-run-is', shortState(run));
  text.dataset.state = run.state;
  const made = cell('state', text);
  if (run.state === 'running' && run.total) text.append(` ${Math.floor((100 * run.done) / run.total)} %`);
  if (run.fit === false) made.append(make('span', 'ctx-note ctx-unfit', t('not_fit')));
  if (run.state === 'queued') made.append(moveButton(run, 'up'), moveButton(run, 'down'));
  return made;
};

const moveButton = (run, way) => {
  const move = button(way === 'up' ? '↑' : '↓', way, 'ctx-icon');
  move.title = t('move_' + way);
  move.setAttribute('aria-label', t('move_' + way));
  const last = Math.max(...runs.map((one) => one.place));
  move.disabled = way === 'up' ? run.place <= 1 : run.place >= last;
  return move;
};

const runRow = (run) => {
  const row = make('tr', '');
  row.dataset.run = run.id;
  const mark = make('input', '');
  mark.type = 'checkbox';
  mark.checked = chosen.has(run.id);
  mark.setAttribute('aria-label', t('choose_run', { id: run.id }));
  const choose = make('td', 'ctx-run-choose');
  choose.append(mark);
  const link = make('a', 'ctx-link', `${run.id} · ${runName(run)}`);
  link.href = `#train/run/${run.id}`;
  row.append(
    choose,
    cell('run', link, ...(run.kind === 'train' ? [] : [make('span', 'ctx-note ctx-run-pair', t('kind_' + run.kind))])),
    cell('dataset', run.dataset, make('span', 'ctx-note ctx-run-pair', pairText(run))),
    stateCell(run),
    cell('score', ...(typeof run.score === 'number' ? [run.score.toFixed(3)] : [])),
    cell('speed', ...(typeof run.speed === 'number' ? [shortText(run.speed)] : [])),
    cell('created', whenText(run.created)),
    cell('note', ...(run.note ? [make('span', 'ctx-note', run.note)] : [])),
  );
  return row;
};

// What is focused stays focused when the table is painted anew.
const focusedIn = (box) => {
  const focused = document.activeElement;
  if (!box.contains(focused)) return null;
  const id = focused.closest('[data-run]')?.dataset.run;
  const within = focused.matches('input') ? 'input' : focused.dataset.do ? `[data-do=${focused.dataset.do}]` : 'a';
  if (id) return `[data-run="${id}"] ${within}`;
  return focused.dataset.by ? `[data-by=${focused.dataset.by}]` : null;
};

const paintTable = () => {
  const table = one('.ctx-runs-table table');
  const focused = focusedIn(table);
  const rows = found();
  table.querySelector('thead').replaceChildren(headRow());
  table.querySelector('tbody').replaceChildren(...rows.map(runRow));
  one('.ctx-runs-all > .ctx-none').hidden = rows.length > 0;
  if (focused) table.querySelector(focused)?.focus();
};

const paintChosen = () => {
  const over = runs.filter((run) => chosen.has(run.id) && !isWorking(run));
  one('.ctx-runs-chosen').hidden = !chosen.size;
  one('.ctx-runs-chosen span').textContent = t('chosen', { n: whole(chosen.size) });
  const remove = one('[data-do=remove]');
  remove.hidden = !over.length;
  remove.textContent = t('remove_chosen', { n: whole(over.length) });
};
