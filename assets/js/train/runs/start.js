// Loads and paints the table, again while something runs and somebody looks; wires its buttons.

const EVERY = 3000; // ms

let looking = 0;
let turn = 0;

const isSeen = () => isShown() && document.body.dataset.view === 'runs' && !document.hidden;

const look = async () => {
  clearTimeout(looking);
  if (!isSeen() || props.limits.hosted) return;
  const mine = ++turn;
  const reply = await ask('runs');
  if (mine !== turn) return;
  if (reply.error) {
    toast(errorText(reply));
    looking = setTimeout(look, 3 * EVERY);
    return;
  }
  const before = JSON.stringify(runs);
  runs = reply.runs;
  for (const id of [...chosen]) if (!runs.some((run) => run.id === id)) chosen.delete(id);
  root.dataset.state = runs.length ? 'shown' : 'none';
  if (JSON.stringify(runs) !== before) {
    paintTable();
    paintChosen();
    compare();
  }
  if (runs.some(isWorking)) looking = setTimeout(look, EVERY);
};

const runOf = (pressed) => runs.find((run) => run.id === Number(pressed.closest('[data-run]').dataset.run));

const move = async (pressed, by) => {
  const run = runOf(pressed);
  const reply = await ask('move', { id: run.id, place: Math.max(1, run.place + by) });
  if (reply.error) toast(errorWithDetail(reply));
  look();
};

const remove = async () => {
  const ids = runs.filter((run) => chosen.has(run.id) && !isWorking(run)).map((run) => run.id);
  const left = chosen.size > ids.length ? ` ${t('remove_left')}` : '';
  const title = ids.length === 1 ? t('remove_sure') : t('remove_sure_many', { n: whole(ids.length) });
  if (!(await isSure(title, t('remove_sure_how') + left, t('remove_yes')))) return;
  const reply = await ask('remove', { ids });
  if (reply.error) toast(errorWithDetail(reply));
  else toast(t('removed_many', { n: whole(reply.removed.length) }));
  look();
};

const sort = (pressed) => {
  const { by } = pressed.dataset;
  sorted = { by, down: sorted.by === by ? !sorted.down : ['run', 'score', 'speed', 'created'].includes(by) };
  paintTable();
};

const ACTIONS = { sort, remove, up: (pressed) => move(pressed, -1), down: (pressed) => move(pressed, 1) };

root.addEventListener('click', (event) => {
  const pressed = event.target.closest('button[data-do]');
  if (pressed) ACTIONS[pressed.dataset.do]?.(pressed);
});

one('tbody').addEventListener('change', (event) => {
  const { id } = runOf(event.target);
  if (event.target.checked) chosen.add(id);
  else chosen.delete(id);
  paintChosen();
  compare();
});

searchField.addEventListener('input', paintTable);
document.addEventListener('visibilitychange', look);

const showTexts = () => {
  fillTexts();
  paintCompareChoice();
  if (!runs) return;
  paintTable();
  paintChosen();
  compare();
};

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  showTexts();
});

showTexts();
if (props.limits.hosted) root.dataset.state = 'closed';
whenShown('runs', look);
