// Reads on what the run tells while it is at work and somebody looks; wires buttons to wishes.

const EVERY = 2000; // ms

let cursor = 0;
let looking = 0;
let turn = 0; // of looks: an answer that comes late is left alone

const wanted = () => Number(document.body.dataset.item) || 0;
const isSeen = () => isShown() && document.body.dataset.view === 'run' && !document.hidden;

const begin = () => {
  clearTimeout(looking);
  run = null;
  details = null;
  verified = {};
  told = newHistory();
  cursor = 0;
  painted = '';
  noteIsTyped = false;
  errorsPainted = '';
  delete errorStep.dataset.chosen;
  forgetPlots();
  root.dataset.state = 'loading';
};

const look = async () => {
  clearTimeout(looking);
  if (!isSeen() || props.limits.hosted) return;
  const id = wanted();
  if (run?.id !== id) begin();
  const mine = ++turn;
  const reply = await ask('watch', { id, after: cursor, log: one('.ctx-run-log').open });
  if (mine !== turn) return;
  if (reply.error) return missed(reply);
  const before = run?.state;
  run = reply.run;
  cursor = reply.after;
  reply.events.forEach((event) => addEvent(told, event));
  root.dataset.state = 'shown';
  paintRun(reply);
  const news = before !== run.state || reply.events.some((event) => ['dev', 'result', 'judged'].includes(event.event));
  if (news) loadDetails();
  if (reply.more) return look();
  if (isWorking(run)) looking = setTimeout(look, EVERY);
};

const missed = (reply) => {
  if (reply.error === 'offline' || reply.error === 'busy') {
    toast(errorText(reply));
    looking = setTimeout(look, 3 * EVERY);
  } else if (!run) {
    root.dataset.state = reply.error === 'unknown_value' ? 'gone' : 'loading';
    if (reply.error !== 'unknown_value') toast(errorText(reply));
  } else {
    root.dataset.state = 'gone';
  }
};

const paintRun = (reply) => {
  paintHead();
  paintCurves();
  paintStudent();
  paintErrors();
  if (details) paintScores();
  if ('log' in reply) paintLog(reply.log);
};

const paintLog = (text) => {
  const log = one('.ctx-log');
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
  log.textContent = text || t('log_none');
  if (atEnd) log.scrollTop = log.scrollHeight;
};

const wish = async (what) => {
  const reply = await ask('wish', { id: run.id, wish: what });
  if (reply.error) toast(errorWithDetail(reply));
  look();
};

const keepNote = async () => {
  const note = one('.ctx-run-note textarea');
  if (!run || note.value.trim() === run.note) return;
  const { id } = run;
  const reply = await ask('note', { id, note: note.value });
  if (reply.error) return toast(errorText(reply));
  noteIsTyped = false;
  if (run?.id === id) run.note = reply.run.note;
  toast(t('note_kept'));
};

const remove = async () => {
  const how = t('remove_sure_how_' + run.kind) || t('remove_sure_how');
  if (!(await isSure(t('remove_sure'), how, t('remove_yes')))) return;
  const reply = await ask('remove', { id: run.id });
  if (reply.error) return toast(errorWithDetail(reply));
  location.hash = '#train/runs';
};

const cancel = async () => {
  const how = t('cancel_sure_how_' + run.kind) || t('cancel_sure_how');
  if (await isSure(t('cancel_sure'), how, t('cancel_yes'))) wish('cancel');
};

// The form of a new run, filled with this one's recipe.
const again = () => {
  if (!details) return;
  const values = Object.fromEntries(details.recipe.fields.map((field) => [field.name, field.value]));
  const { dataset, start } = details.recipe;
  if (run.kind === 'quantise') {
    const how = values.progressive ? 'steps' : values.ratio ? 'ratio' : 'forms';
    const ways = values.ways ? values.ways.split(', ') : [];
    remember('train.quantise', JSON.stringify({ model: values.model, dataset, how, ways, rows: values.rows, ratio: values.ratio }));
    location.hash = '#train/quantise';
    return;
  }
  if (run.kind !== 'train') {
    const kept = run.kind === 'corpus' ? { corpus: values } : { values };
    remember('train.scratch', JSON.stringify({ task: run.kind, languages: run.pair, start, ...kept }));
    location.hash = '#train/scratch';
    return;
  }
  remember('train.form', JSON.stringify({ dataset, preset: 'own', start, values }));
  location.hash = '#train/new';
};

const copy = async (text) => toast(t((await copyText(text)) ? 'copied' : 'copy_failed'));

const ACTIONS = {
  pause: () => wish('pause'),
  resume: () => wish('resume'),
  stop: () => wish('stop'),
  cancel,
  remove,
  again,
  verify,
  copy_command: () => copy(details.command),
  copy_hash: (pressed) => copy(pressed.dataset.hash),
  open_report: () => report('html', true),
  save_html: () => report('html', false),
  save_md: () => report('md', false),
  save_json: () => report('json', false),
};

root.addEventListener('click', (event) => {
  const pressed = event.target.closest('button[data-do]');
  if (pressed && run) ACTIONS[pressed.dataset.do]?.(pressed);
});

const noteField = one('.ctx-run-note textarea');
noteField.addEventListener('input', () => {
  noteIsTyped = true;
});
noteField.addEventListener('change', keepNote);
one('.ctx-run-log').addEventListener('toggle', look);
document.addEventListener('visibilitychange', look);

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  fillTexts();
  if (!run) return;
  paintRun({});
  paintDetails();
});

fillTexts();
if (props.limits.hosted) root.dataset.state = 'closed';
whenShown('run', look);
