// All models, each with its most telling scores; reads on while one is on its way to readers.

const EVERY = 2000; // ms

let looking = 0;
let turn = 0;

const isSeen = () => isShown() && document.body.dataset.view === 'list' && !document.hidden;

const scoreTerm = (score) => {
  const box = make('div', '');
  const value = make('dd', '', score.value.toFixed(3));
  value.append(make('span', 'ctx-note', `${score.low.toFixed(3)} – ${score.high.toFixed(3)}`));
  const name = score.figure === 'right' ? t('model_right') : figureName(score.figure);
  box.append(make('dt', '', name), value);
  return box;
};

const scoresOf = (model) => {
  const box = make('div', 'ctx-model-scores');
  if (!model.scores.length) {
    box.append(make('p', 'ctx-note', model.name === 'base' ? '' : t('model_no_scores')));
    return box;
  }
  const list = make('dl', '');
  list.append(...model.scores.map(scoreTerm));
  box.append(make('p', 'ctx-note', t('model_scored_on', { set: model.set, n: whole(model.rows ?? 0) })), list);
  return box;
};

const actionsOf = (model, isPresent) => {
  const row = make('div', 'ctx-row');
  const mayPromote = !isPresent && !props.limits.hosted && !found.fixed;
  if (mayPromote) row.append(button(t('do_promote'), 'promote'));
  row.append(goTo(t('do_card'), '#models/card/' + model.name));
  if (!isPresent && !props.limits.hosted) row.append(goTo(t('do_side'), '#compare/split/' + model.name));
  if (model.name.startsWith('run:') && !props.limits.hosted) row.append(goTo(t('do_run'), '#train/run/' + model.name.slice(4)));
  return row;
};

const modelLine = (model) => {
  const line = make('li', 'ctx-model-line');
  const isPresent = model.version === found.present.version;
  Object.assign(line.dataset, { model: model.name, here: String(isPresent) });
  const head = make('div', 'ctx-model-head');
  const name = make('h3', '');
  name.append(cardLink(model, titleOf(model)));
  head.append(name, make('p', 'ctx-note', aboutModel(model)));
  if (isPresent) head.append(make('p', 'ctx-badge', t('present_here')));
  if (model.fit === false) head.append(make('p', 'ctx-unfit', unfitText(model)));
  if (model.fit === true) head.append(make('p', 'ctx-note', t('fit')));
  line.append(head, scoresOf(model), actionsOf(model, isPresent));
  return line;
};

// What readers have first, then runs and copies; what was there from the beginning comes last.
const inOrder = () => {
  const place = (model) => (model.version === found.present.version ? -1 : ['shipped', 'base'].indexOf(model.name) + 1);
  return [...found.models].sort((a, b) => place(a) - place(b));
};

const paintList = () => {
  const list = one('.ctx-models-list');
  const focused = list.contains(document.activeElement) && document.activeElement;
  const place = focused && [focused.closest('[data-model]').dataset.model, focused.dataset.do, focused.getAttribute('href')];
  list.replaceChildren(...inOrder().map(modelLine));
  if (!place) return;
  const line = [...list.children].find((item) => item.dataset.model === place[0]);
  const same = (item) => (place[1] ? item.dataset.do === place[1] : item.getAttribute('href') === place[2]);
  [...(line?.querySelectorAll('a, button') ?? [])].find(same)?.focus();
};

let painted = '';
const paint = () => {
  const now = JSON.stringify([found, language]);
  if (now === painted) return;
  painted = now;
  paintPresent();
  paintList();
};

// The address may name one: #models/list/run:7.
let pointed = '';
const pointAt = () => {
  const name = document.body.dataset.item ?? '';
  if (name === pointed) return;
  pointed = name;
  root.querySelector('.ctx-pointed')?.classList.remove('ctx-pointed');
  const line = [...one('.ctx-models-list').children].find((item) => item.dataset.model === name);
  line?.classList.add('ctx-pointed');
  line?.scrollIntoView({ block: 'center' });
};

const look = async () => {
  clearTimeout(looking);
  if (!isSeen()) return;
  const mine = ++turn;
  const reply = await ask('models');
  if (mine !== turn) return;
  if (reply.error) {
    toast(errorText(reply));
    looking = setTimeout(look, 3 * EVERY);
    return;
  }
  found = reply;
  root.dataset.state = 'shown';
  paint();
  pointAt();
  if (!isServed()) looking = setTimeout(look, EVERY);
};

const goBack = async (pressed) => {
  pressed.disabled = true;
  const reply = await ask('back');
  toast(reply.error ? errorText(reply) : t('back_is', { title: titleOf(reply.promoted) }));
  look();
};

const openPromote = async (pressed) => {
  const made = await promote(pressed.closest('[data-model]').dataset.model);
  if (made) toast(t('promoted_is', { title: titleOf(made) }));
  look();
};

root.addEventListener('click', (event) => {
  const pressed = event.target.closest('button[data-do]');
  if (pressed?.dataset.do === 'back') goBack(pressed);
  if (pressed?.dataset.do === 'promote') openPromote(pressed);
});

document.addEventListener('visibilitychange', look);
window.addEventListener('ctx-language', () => {
  language = findLanguage();
  fillTexts();
  if (found) paint();
});

fillTexts();
whenShown('list', look);
