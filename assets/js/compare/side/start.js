// Asks for the sentences, a few at a time, while somebody looks; wires the form and the buttons.

const form = one('.ctx-side-ask');
const taskField = form.elements.task;
const textField = form.querySelector('textarea');
const bar = one('.ctx-side-bar');
let models = null;
let asked = 0; // of questions: what comes late is left alone

const setBusy = (busy) => {
  root.dataset.busy = String(busy);
  paintRawButton();
};

const loadModels = async () => {
  const reply = await ask('models');
  if (reply.error) return toast(errorText(reply));
  models = reply.models;
  const wanted = document.body.dataset.item;
  if (!takePairOf(modelOf(wanted))) paintModels(wanted);
};

// The address may name a model: #compare/side/run:7.
const paintModels = (wanted = '') => {
  fillTasks(taskField, models, { wanted });
  const mine = modelsFor(models, taskField.value);
  const kept = !wanted && [form.left.value, form.right.value].every((name) => mine.some((one) => one.name === name));
  const { left, right } = kept ? { left: form.left.value, right: form.right.value } : firstModels(mine, wanted);
  fillModels(form.left, mine, left);
  fillModels(form.right, mine, right);
  one('.ctx-alone').hidden = mine.length > 1;
  form.querySelector('[type=submit]').disabled = mine.length < 2;
  markLanguages(form, workPair());
};

const modelOf = (name) => models.find((model) => model.name === name);

const keepModels = () => {
  remember('compare.task', taskField.value);
  ['left', 'right'].forEach((side) => remember('compare.' + side, form[side].value));
};

// Asked again with other words while models are loaded.
const tellFar = (reply) => {
  const loading = reply.work && reply.total && reply.done < reply.total && !found.rows.length;
  if (loading) {
    paintBar(bar, reply.done, reply.total);
    one('.ctx-side-far').textContent = t('loading_models');
  }
};

const finishTold = async (first) => {
  let reply = first;
  while (reply.work) {
    tellFar(reply);
    await pause(300);
    reply = await ask('work', { work: reply.work });
  }
  return reply;
};

const compare = async () => {
  if (!models) return;
  const mine = ++asked;
  if (form.left.value === form.right.value) return toast(t('error_same_model'));
  keepModels();
  const pair = workPair();
  const cut = await ask('cut', { text: textField.value, pair });
  if (mine !== asked) return;
  if (cut.error) return toast(errorText(cut));
  Object.assign(found, { sentences: cut.sentences, rows: [], left: modelOf(form.left.value), right: modelOf(form.right.value), task: taskField.value, pair, shown: 'differ' });
  found.opened.clear();
  forgetRaw();
  setBusy(true);
  bar.hidden = false;
  await answerAll(mine);
  if (mine !== asked) return;
  bar.hidden = true;
  setBusy(false);
  one('.ctx-side-far').textContent = cut.left_out ? t('sentences_left_out', { n: cut.sentences.length, more: cut.left_out }) : '';
};

const answerAll = async (mine) => {
  const total = found.sentences.length;
  const what = found.task === SENTENCES ? 'translations' : 'answers';
  paintBar(bar, 0, total);
  for (let start = 0; start < total; start += props.limits.at_once) {
    const contexts = found.sentences.slice(start, start + props.limits.at_once).map((sentence) => sentence.context);
    const reply = await finishTold(await ask(what, { left: found.left.name, right: found.right.name, pair: found.pair, contexts }));
    if (mine !== asked) return;
    if (reply.error) return toast(errorWithDetail(reply));
    found.rows.push(...reply.answers);
    paintBar(bar, found.rows.length, total);
    one('.ctx-side-far').textContent = t('sentences_done', { n: found.rows.length, total });
    if (start === 0 && allRows().length && !allRows().some(isListed) && total <= props.limits.at_once) found.shown = 'all';
    paintFound();
  }
};

const swap = () => {
  [form.left.value, form.right.value] = [form.right.value, form.left.value];
  keepModels();
};

const show = (pressed) => {
  found.shown = pressed.dataset.show;
  found.opened.clear();
  paintFound();
};

const ACTIONS = { swap, show, word: touch, raw: askRaw };

root.addEventListener('click', (event) => {
  const pressed = event.target.closest('button[data-do]');
  if (pressed) ACTIONS[pressed.dataset.do]?.(pressed);
});

taskField.addEventListener('change', () => paintModels());

form.addEventListener('submit', (event) => {
  event.preventDefault();
  compare();
});

textField.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) compare();
});

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  fillTexts();
  if (!models) return;
  paintModels();
  if (found.rows.length) paintFound();
  paintRaw();
});

fillTexts();
textField.maxLength = props.limits.text;
if (props.limits.hosted) root.dataset.state = 'closed';
whenShown('side', () => {
  if (!props.limits.hosted) loadModels();
});
