// The board of a split: its models, best first; which split is chosen.

const splitField = one('.ctx-board-all select');
let all = null; // of every pair
let splits = null; // of the chosen one

const splitKey = ({ dataset, split, sha256 }) => `${dataset}/${split}/${sha256}`;
const isOfSentences = (found) => found?.task === 'translation';
const dataName = (found) => (found.dataset === 'translations' ? t('task_translation') : found.dataset);
const shownSplit = () => splits?.find((one) => splitKey(one) === splitField.value) ?? splits?.[0];

const load = async () => {
  const reply = await ask('board');
  if (reply.error) return toast(errorText(reply));
  all = reply.splits;
  smaller = reply.smaller;
  paint();
};

const paint = () => {
  splits = all.filter((found) => found.pair === workPair());
  root.dataset.state = splits.length ? 'shown' : 'none';
  one('.ctx-board-none h2').textContent = t('board_none', { pair: pairName(workPair()) });
  const before = splitField.value || recall('compare.board');
  const twice = (found) => splits.filter((one) => dataName(one) === dataName(found) && one.split === found.split).length > 1;
  splitField.replaceChildren(
    ...splits.map((found) => {
      const version = twice(found) ? ` · ${found.sha256.slice(0, 8)}` : '';
      const option = make('option', '', `${dataName(found)} · ${t('split_' + found.split)}${version}`);
      option.value = splitKey(found);
      option.selected = option.value === before;
      return option;
    }),
  );
  paintTable();
  paintBoard();
  paintSmallerOnes();
};

const LINES = [
  ['board_score', (model) => scoreOf(model), 'figure_chrf'],
  ['board_rows', (model) => linkTo(model.rows ? whole(model.rows) : '–', `#compare/split/${model.job}`)],
  ['board_ms', (model) => shortText(model.ms)],
  ['board_size', (model) => (model.bytes ? sizeText(model.bytes) : '–')],
  ['board_made', (model) => whenText(model.made) || '–'],
];

// Sentences are scored by another figure than words.
const keyOf = ([key, , ofSentences]) => (isOfSentences(shownSplit()) && ofSentences) || key;
const scoreText = (x) => (isOfSentences(shownSplit()) ? (100 * x).toFixed(1) : percent(x));

const linkTo = (text, address) => {
  const link = make('a', 'ctx-link', text);
  link.href = address;
  return link;
};

const scoreOf = (model) => {
  const box = make('span', '');
  box.append(make('b', '', scoreText(model.score)));
  if (model.interval) box.append(' ', make('span', 'ctx-note', model.interval.map(scoreText).join(' – ')));
  return box;
};

const paintTable = () => {
  const models = shownSplit()?.models ?? [];
  const heads = ['board_model', ...LINES.map(keyOf)].map((key) => t(key));
  const rows = models.map((model, i) => [
    [dotOf(i), ' ', linkTo(modelName(model), `#models/card/${model.name}`)],
    ...LINES.map((line) => line[1](model)),
  ]);
  one('.ctx-board-table').replaceChildren(labelledTable(heads, rows));
};

const paintBoard = () => {
  const points = (shownSplit()?.models ?? []).map((model) => ({
    x: model.ms, y: model.score, low: model.interval?.[0], high: model.interval?.[1], name: modelName(model),
    told: `${modelName(model)}: ${scoreText(model.score)}, ${shortText(model.ms)} ms`,
  }));
  paintScatter(one('.ctx-board-all .ctx-scatter'), { title: t('scatter_title'), how: t('scatter_how'), across: t('board_ms'), points });
};

// Smaller models: the students of the pair's runs, and the forms of each model that has some.
const smallerField = one('.ctx-smaller select');
let smaller = { forms: [], students: [] };

const paintSmallerOnes = () => {
  const students = smaller.students.filter((student) => student.pair === workPair());
  const forms = smaller.forms.filter((found) => found.pair === workPair());
  const box = one('.ctx-smaller');
  box.hidden = !students.length && !forms.length;
  if (box.hidden) return;
  const choices = [...(students.length ? [['students', t('smaller_students')]] : []), ...forms.map((found) => [found.version, t('smaller_forms', { name: found.model })])];
  const before = smallerField.value;
  smallerField.replaceChildren(
    ...choices.map(([value, text]) => {
      const option = make('option', '', text);
      option.value = value;
      option.selected = value === before;
      return option;
    }),
  );
  const chosen = forms.find((found) => found.version === smallerField.value);
  one('.ctx-smaller-judged').textContent = chosen
    ? t('smaller_judged', { n: whole(chosen.rows), dataset: chosen.dataset, split: t('split_' + chosen.split) })
    : t('smaller_judged_students');
  paintSmaller(box, chosen ? chosen.forms : students, !chosen);
};

splitField.addEventListener('change', () => {
  remember('compare.board', splitField.value);
  paintTable();
  paintBoard();
});

smallerField.addEventListener('change', paintSmallerOnes);
new ResizeObserver(() => all && paintBoard()).observe(one('.ctx-board-all .ctx-drawing'));
new ResizeObserver(() => all && paintSmallerOnes()).observe(one('.ctx-smaller .ctx-drawing'));

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  fillTexts();
  if (all) paint();
});

fillTexts();
if (props.limits.hosted) root.dataset.state = 'closed';
whenShown('board', () => {
  if (!props.limits.hosted) load();
});
