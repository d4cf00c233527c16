// An adapter's page, filled from its card. Everything there comes from a file: it is set as text.

let card = null;
let turn = 0;

const termOf = (name, text) => {
  const box = make('div', '');
  box.append(make('dt', '', name), make('dd', '', text));
  return box;
};

const plain = (value) => {
  if (typeof value === 'boolean') return value ? '✓' : '–';
  return typeof value === 'number' ? shortText(value) : value;
};

const choice = (name, value) => (typeof value === 'string' && t(`choice_${name}_${value}`)) || plain(value);

const paintAbout = () => {
  const { model, about, recipe } = card;
  const isBase = model.name === 'base';
  one('.ctx-card-base').hidden = !isBase;
  const lines = [termOf(t('card_task'), t('card_task_' + model.task)), termOf(t('card_pair'), pairName(model.pair))];
  if (!isBase) lines.push(termOf(t('card_version'), model.version), termOf(t('card_size'), sizeText(model.bytes)));
  if (card.licence) lines.push(termOf(t('card_licence'), card.licence));
  if (model.made) lines.push(termOf(t('card_made'), dateText(model.made)));
  one('.ctx-card-about').replaceChildren(...lines, ...about.map((x) => termOf(t('card_' + x.name), plain(x.value))));
  const name = (x) => (x.name === 'start' ? t('new_start_from') : t('recipe_' + x.name) || x.name.replaceAll('_', ' '));
  const value = (x) => (x.name === 'start' ? t('start_' + x.value) || x.value : choice(x.name, x.value));
  one('.ctx-card-recipe').replaceChildren(...recipe.map((x) => termOf(name(x), value(x))));
  one('.ctx-card-recipe').previousElementSibling.hidden = recipe.length > 0;
};

const sourceLine = (source) => {
  const line = make('li', '');
  const rows = source.rows === null ? '' : t('card_rows', { n: whole(source.rows) });
  line.append(make('b', '', source.name), ' ', make('span', 'ctx-note', rows));
  if (source.origin) line.append(make('p', '', source.origin));
  line.append(make('p', 'ctx-note', source.licence ? `${t('card_licence')}: ${source.licence}` : t('card_no_licence')));
  return line;
};

const figureRow = (score) => {
  const row = make('tr', '');
  const [value, low, high] = [score.value, score.low, score.high].map((x) => scoreText(score.figure, x));
  const cells = [value, `${low} – ${high}`];
  row.append(make('th', '', figureName(score.figure)), ...cells.map((text) => make('td', '', text)));
  return row;
};

const scoreBox = (set) => {
  const box = make('div', 'ctx-score');
  const table = make('table', '');
  const head = make('tr', '');
  head.append(...['score_figure', 'score_value', 'score_interval'].map((key) => make('th', '', t(key))));
  table.append(head, ...set.figures.map(figureRow));
  box.append(make('h4', '', t('score_rows', { name: set.name, n: whole(set.rows ?? 0) })), table);
  return box;
};

const paintScores = () => {
  const first = card.scores.filter((set) => set.name === card.model.set);
  const rest = card.scores.filter((set) => set.name !== card.model.set);
  const shown = first.length ? first : rest.splice(0, 1);
  one('.ctx-card-scores').hidden = !card.scores.length;
  const [boxes, more] = root.querySelectorAll('.ctx-card-scores .ctx-scores');
  boxes.replaceChildren(...shown.map(scoreBox));
  more.replaceChildren(...rest.map(scoreBox));
  one('.ctx-card-scores details').hidden = !rest.length;
  one('.ctx-card-scores summary').textContent = t('card_more_scores', { n: rest.length });
};

const answerText = (answer) => {
  const word = t('class_' + answer.class.replace(' ', '_')) || answer.class;
  return [word, answer.zh, answer.phrase.replaceAll('|', ' = ')].filter(Boolean).join(' · ');
};

// The sentence with the word marked at its first place.
const failureLine = (failure) => {
  const line = make('li', '');
  const text = make('p', 'ctx-failure-text');
  text.lang = 'en';
  const at = failure.target ? failure.context.indexOf(failure.target) : -1;
  if (at < 0) text.append(failure.context);
  else text.append(failure.context.slice(0, at), make('mark', '', failure.target), failure.context.slice(at + failure.target.length));
  const list = make('dl', '');
  list.append(termOf(t('card_expected'), answerText(failure.expected)), termOf(t('card_answered'), answerText(failure.answered)));
  line.append(text, list);
  return line;
};

// A sentence with its own translation and the adapter's.
const exampleLine = (example) => {
  const line = make('li', '');
  const [from, to] = card.model.pair.split('-').map(languageTag);
  const list = make('dl', '');
  list.append(termOf(t('card_reference'), example.reference), termOf(t('card_translated'), example.translation));
  list.querySelectorAll('dd').forEach((e) => {
    e.lang = to;
    e.dir = 'auto';
  });
  const text = make('p', 'ctx-failure-text', example.sentence);
  text.lang = from;
  line.append(text, list);
  return line;
};

const levelLine = (level) => {
  const values = { share: percent(level.share), right: percent(level.right), level: t('card_level_' + level.level) };
  return make('li', '', t('card_levels_told', values));
};

const fill = (box, items, line) => {
  one(box).hidden = !items.length;
  one(box + ' ul').replaceChildren(...items.map(line));
};

const paintHead = () => {
  const { model, present } = card;
  one('.ctx-card-head h2').textContent = titleOf(model);
  one('.ctx-card-what').textContent = aboutModel(model);
  const verdict = one('.ctx-verdict');
  verdict.hidden = !present && model.fit !== false;
  verdict.dataset.fit = String(present);
  verdict.textContent = [present && t('present_here'), model.fit === false && unfitText(model)].filter(Boolean).join(' · ');
  const buttons = [];
  if (!present && !props.limits.hosted && model.name !== 'small') {
    buttons.push(button(t('do_promote'), 'promote'), goTo(t('do_side'), '#compare/split/' + model.name));
  }
  if (model.name.startsWith('run:') && !props.limits.hosted) buttons.push(goTo(t('do_run'), '#train/run/' + model.name.slice(4)));
  buttons.push(goTo(t('card_all'), '#models/list'));
  one('.ctx-card-head .ctx-row').replaceChildren(...buttons);
};

const paintCard = () => {
  paintHead();
  paintAbout();
  const isBase = card.model.name === 'base';
  fill('.ctx-card-data', card.data, sourceLine);
  one('.ctx-card-data').hidden = isBase;
  one('.ctx-card-data .ctx-none').hidden = card.data.length > 0;
  paintScores();
  fill('.ctx-card-levels', card.levels, levelLine);
  fill('.ctx-card-failures', card.failures, failureLine);
  fill('.ctx-card-examples', card.examples, exampleLine);
  one('.ctx-card-words').hidden = !card.words;
  one('.ctx-card-words pre').textContent = card.words;
};

const look = async () => {
  const name = document.body.dataset.item ?? '';
  const mine = ++turn;
  if (card?.asked !== name) root.dataset.state = 'loading';
  const reply = await ask('card', { name });
  if (mine !== turn) return;
  if (reply.error) {
    root.dataset.state = reply.error === 'offline' ? 'loading' : 'gone';
    return toast(errorText(reply));
  }
  card = { ...reply, asked: name };
  root.dataset.state = 'shown';
  paintCard();
};

root.addEventListener('click', async (event) => {
  if (event.target.closest('button[data-do]')?.dataset.do !== 'promote') return;
  const made = await promote(card.model.name);
  if (made) toast(t('promoted_is', { title: titleOf(made) }));
  look();
});

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  fillTexts();
  if (card) paintCard();
});

fillTexts();
whenShown('card', look);
