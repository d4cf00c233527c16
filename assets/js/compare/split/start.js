// Which evaluation is looked at, how far it is, what it came to; wires buttons to wishes.

const EVERY = 1500; // ms

// `result` as the job left it; `left` and `right` are numbers of its models.
const chosen = { id: 0, evaluation: null, result: null, left: 0, right: 1, counts: {}, reports: [] };
let looking = 0;
let turn = 0; // of looks: an answer that comes late is left alone

// The address names an evaluation, or a model to evaluate: #compare/split/12, #compare/split/run:7.
const wanted = () => Number(document.body.dataset.item) || 0;
const isSeen = () => isShown() && document.body.dataset.view === 'split' && !document.hidden;
const two = one('.ctx-split-two');
const [leftField, rightField] = two.querySelectorAll('select');

const look = async () => {
  clearTimeout(looking);
  if (!isSeen() || props.limits.hosted) return;
  const id = wanted();
  if (!id) return loadStart();
  if (chosen.id !== id) begin(id);
  const mine = ++turn;
  const reply = await ask('watch', { id });
  if (mine !== turn) return;
  if (reply.error) return missed(reply);
  const before = chosen.evaluation?.state;
  chosen.evaluation = reply.evaluation;
  if (reply.evaluation.state === 'done' && before !== 'done') await loadResult();
  root.dataset.state = 'one';
  paintOne();
  if (isWorking(chosen.evaluation)) looking = setTimeout(look, EVERY);
};

const begin = (id) => {
  Object.assign(chosen, { id, evaluation: null, result: null, left: 0, right: 1, counts: {}, reports: [] });
  Object.assign(paging, { shown: 'differ', order: 'worst', page: 0, rows: [], count: 0 });
  root.dataset.state = 'loading';
};

const missed = (reply) => {
  if (reply.error === 'offline' || reply.error === 'busy') {
    toast(errorText(reply));
    looking = setTimeout(look, 3 * EVERY);
  } else {
    root.dataset.state = 'gone';
  }
};

const loadResult = async () => {
  const { id, left, right } = chosen;
  const reply = await ask('result', { id, ...(chosen.result ? { left, right } : {}) });
  if (id !== chosen.id) return;
  if (reply.error) return toast(errorText(reply));
  const { result, counts, reports } = reply;
  Object.assign(chosen, { result, counts, reports, right: Math.min(chosen.right, result.models.length - 1) });
  paintResult();
  await loadRows();
};

const paintOne = () => {
  const { evaluation, result } = chosen;
  const models = result?.models ?? evaluation.models.map((name) => ({ name }));
  one('.ctx-split-head h2').textContent = models.map(modelName).join(' · ');
  const { split } = result ?? {};
  const about = [
    dataName(evaluation),
    t('split_' + evaluation.split),
    split ? t('rows_sentences', { rows: whole(split.rows), sentences: whole(split.sentences) }) : '',
    split?.sha256 ? `SHA-256 ${split.sha256.slice(0, 12)}…` : '',
    whenText(evaluation.ended ?? evaluation.created),
    evaluation.who,
  ];
  one('.ctx-split-about').textContent = about.filter(Boolean).join(' · ');
  const done = evaluation.state === 'done';
  one('.ctx-split-state').textContent = done ? '' : stateText(evaluation);
  one('.ctx-split-bar').hidden = !isWorking(evaluation);
  paintBar(one('.ctx-split-bar'), evaluation.done, evaluation.total);
  const told = one('.ctx-split-head .ctx-trouble-told');
  told.hidden = evaluation.state !== 'failed';
  told.children[0].textContent = t('failed_' + evaluation.error) || t('error_' + evaluation.error) || t('failed_other');
  told.children[1].textContent = evaluation.detail;
  one('.ctx-split-result').hidden = !result;
  paintActions();
};

const paintActions = () => {
  const { state } = chosen.evaluation;
  const does = isWorking(chosen.evaluation) ? ['stop', 'cancel'] : ['stopped', 'failed', 'interrupted'].includes(state) ? ['resume', 'remove'] : ['remove'];
  const box = one('.ctx-split-actions');
  if (box.dataset.does === `${does} ${language}`) return;
  box.dataset.does = `${does} ${language}`;
  const buttons = does.map((name) => button(t('evaluation_' + name), name));
  keepFocusIn(box, () => box.replaceChildren(...buttons), () => buttons);
};

const paintResult = () => {
  const { models } = chosen.result;
  two.hidden = models.length < 2;
  for (const [field, at] of [[leftField, chosen.left], [rightField, chosen.right]]) {
    fill(field, models.map((_, i) => i), (i) => modelName(models[i]), at);
  }
  paintFigures();
  one('.ctx-split-reports').hidden = !chosen.reports.length;
  one('.ctx-split-reports .ctx-row').replaceChildren(
    ...chosen.reports.map((form) => {
      const opens = button(t('report_as_' + form), 'report');
      opens.dataset.form = form;
      return opens;
    }),
  );
};

const choose = async (left, right) => {
  Object.assign(chosen, { left, right });
  paging.page = 0;
  await loadResult();
};

const report = async ({ dataset: { form } }) => {
  const page = form === 'html' ? window.open('', '_blank') : null; // at once, or the browser blocks it
  const reply = await ask('report', { id: chosen.id, form });
  if (!reply.error) return giveFile(reply, form, page);
  page?.close();
  toast(errorText(reply));
};

const wish = async (what) => {
  const reply = await ask('wish', { id: chosen.id, wish: what });
  if (reply.error) toast(errorWithDetail(reply));
  look();
};

const remove = async () => {
  if (!(await isSure(t('remove_evaluation'), t('remove_evaluation_how'), t('remove_yes')))) return;
  const reply = await ask('remove', { id: chosen.id });
  if (reply.error) return toast(errorWithDetail(reply));
  chosen.id = 0;
  location.hash = '#compare/split';
};

const ACTIONS = {
  more_models: () => paintModelFields(modelFields().length + 1),
  less_models: () => paintModelFields(modelFields().length - 1),
  swap: () => choose(chosen.right, chosen.left),
  show: (pressed) => showRows({ shown: pressed.dataset.show }),
  page_back: () => turnPage(-1),
  page_on: () => turnPage(1),
  stop: () => wish('stop'),
  cancel: () => wish('cancel'),
  resume: () => wish('resume'),
  remove,
  report,
};

root.addEventListener('click', (event) => {
  const pressed = event.target.closest('button[data-do]');
  if (pressed) ACTIONS[pressed.dataset.do]?.(pressed);
});

form.addEventListener('submit', (event) => {
  event.preventDefault();
  evaluate();
});
const changeTask = () => {
  paintForm();
  loadSources();
};
taskField.addEventListener('change', changeTask);
setField.addEventListener('change', paintSplits);
orderField.addEventListener('change', () => showRows({ order: orderField.value }));
sliceField.addEventListener('change', paintSlices);
for (const field of [leftField, rightField]) field.addEventListener('change', () => choose(Number(leftField.value), Number(rightField.value)));
document.addEventListener('visibilitychange', look);

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  fillTexts();
  if (offered) {
    paintForm();
    paintEarlier();
  }
  if (!chosen.evaluation) return;
  paintOne();
  if (!chosen.result) return;
  paintResult();
  paintRows();
});

fillTexts();
if (props.limits.hosted) root.dataset.state = 'closed';
whenShown('split', look);
