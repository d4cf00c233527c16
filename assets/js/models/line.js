// One model: what it is, how good, what it takes, what can be done about it.

const termOf = (name, value, note = '') => {
  const box = make('div', '');
  const told = make('dd', '', value);
  if (note) told.append(make('span', 'ctx-note', note));
  box.append(make('dt', '', name), told);
  return box;
};

const scoreTerm = (score) => {
  const name = score.figure === 'right' ? t('model_right') : figureName(score.figure);
  const [value, low, high] = [score.value, score.low, score.high].map((x) => scoreText(score.figure, x));
  return termOf(name, value, `${low} – ${high}`);
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

// What it takes on disk and in memory, and when a reader last got an answer of it.
const takesOf = (model) => {
  const list = make('dl', 'ctx-model-takes');
  if (model.name === 'base') return list;
  list.append(termOf(t('takes_disk'), sizeText(model.bytes)));
  list.append(termOf(t('takes_memory'), t('memory_' + model.memory, { size: sizeText(model.loaded || model.needs) })));
  list.append(termOf(t('model_used'), model.used ? whenText(model.used) : t('model_unused')));
  return list;
};

const actionsOf = (model, group) => {
  const row = make('div', 'ctx-row ctx-model-do');
  const { hosted } = props.limits;
  const isHere = model.version === group.present.version;
  const isFree = !(found.fixed && isWords(group));
  if (!hosted && !isHere && isFree && model.fits) row.append(button(t('do_promote'), 'promote'));
  row.append(goTo(t('do_card'), '#models/card/' + model.name));
  if (hosted) return row;
  if (!isHere) row.append(goTo(t('do_side'), '#compare/split/' + model.name));
  if (model.name.startsWith('run:')) row.append(goTo(t('do_run'), '#train/run/' + model.name.slice(4)));
  if (model.name === 'base') return row;
  if (model.memory === 'loaded') row.append(button(t('do_unload'), 'unload', 'ctx-quiet'));
  if (model.memory === 'free' && model.fits) row.append(button(t('do_load'), 'load', 'ctx-quiet'));
  row.append(button(t('do_export'), 'export', 'ctx-quiet'));
  if (model.name.startsWith('kept:')) row.append(button(t('do_delete'), 'delete', 'ctx-quiet'));
  row.querySelectorAll('button, a').forEach((e) => {
    if (e.dataset.do !== 'promote') e.setAttribute('aria-label', `${e.textContent}: ${titleOf(model)}`);
  });
  return row;
};

const modelLine = (model, group) => {
  const line = make('li', 'ctx-model-line');
  const isHere = model.version === group.present.version;
  Object.assign(line.dataset, { model: model.name, here: String(isHere) });
  const head = make('div', 'ctx-model-head');
  const name = make('h3', '');
  name.append(cardLink(model, titleOf(model)));
  head.append(name);
  if (isHere) head.append(make('p', 'ctx-badge', t('present_here')));
  head.append(make('p', 'ctx-note', aboutModel(model)));
  if (model.licence) head.append(make('p', 'ctx-note', t('model_licence', { licence: model.licence })));
  if (isHere) head.append(...presentParts(group));
  if (model.memory === 'merged') head.append(make('p', 'ctx-note', t('memory_merged_why')));
  if (model.fit === false) head.append(make('p', 'ctx-unfit', unfitText(model)));
  if (!model.fits) head.append(make('p', 'ctx-unfit', t('model_other_base')));
  if (model.fit === true) head.append(make('p', 'ctx-note', t('fit')));
  line.append(head, scoresOf(model), takesOf(model), actionsOf(model, group));
  return line;
};
