// The board of a split: its models, best first; which split is chosen.

const splitField = one('.ctx-board-all select');
let splits = null;

const splitKey = ({ dataset, split, sha256 }) => `${dataset}/${split}/${sha256}`;
const isOfSentences = (found) => found?.task === 'translation';
const dataName = (found) => (isOfSentences(found) ? `${pairName(found.pair)}, ${t('task_translation')}` : found.dataset);
const shownSplit = () => splits?.find((one) => splitKey(one) === splitField.value) ?? splits?.[0];

const load = async () => {
  const reply = await ask('board');
  if (reply.error) return toast(errorText(reply));
  splits = reply.splits;
  root.dataset.state = splits.length ? 'shown' : 'none';
  paint();
};

const paint = () => {
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
  paintScatter();
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
  const table = make('table', '');
  const head = make('thead', '');
  const top = make('tr', '');
  top.append(make('th', '', t('board_model')), ...LINES.map((line) => make('th', '', t(keyOf(line)))));
  head.append(top);
  const body = make('tbody', '');
  body.append(...models.map(lineOfModel));
  table.append(head, body);
  one('.ctx-board-table').replaceChildren(table);
};

const lineOfModel = (model, i) => {
  const row = make('tr', '');
  const name = make('th', '');
  const dot = svgOf('svg', { viewBox: '0 0 12 12', width: 12, height: 12, 'aria-hidden': 'true' });
  dot.append(svgOf('circle', { class: `ctx-point ctx-c${i % 8}`, cx: 6, cy: 6, r: 5 }));
  name.append(dot, ' ', linkTo(modelName(model), `#models/card/${model.name}`));
  row.append(
    name,
    ...LINES.map((line) => {
      const cell = make('td', '');
      cell.dataset.label = t(keyOf(line));
      cell.append(line[1](model));
      return cell;
    }),
  );
  return row;
};

splitField.addEventListener('change', () => {
  remember('compare.board', splitField.value);
  paintTable();
  paintScatter();
});

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  fillTexts();
  if (splits) paint();
});

fillTexts();
if (props.limits.hosted) root.dataset.state = 'closed';
whenShown('board', () => {
  if (!props.limits.hosted) load();
});
