// Two models' figures beside each other: values, intervals, which differences are more than chance.

const PLAIN = /^(ms|chrf|bleu|ter)$|_ms|tokens|needed|characters|second|length|count/; // figures that are no shares

// A figure as text, and its interval: in percent where it is a share.
const isShare = (name, found) => !PLAIN.test(name) && Math.abs(found.value) <= 1;
const figureText = (name, found, value = found?.value, like = found) => {
  if (typeof value !== 'number') return '';
  return isShare(name, like) ? percent(value).replace('-', '−') : shortText(value);
};
const intervalText = (name, found, like = found) => (found?.interval ? found.interval.map((value) => figureText(name, found, value, like)).join(' – ') : '');

// The differences right minus left, whichever way round they are kept.
const differencesOf = (result, left, right) => {
  const kept = result.pairs?.find((pair) => pair.left === left && pair.right === right);
  if (kept) return kept;
  const turned = result.pairs?.find((pair) => pair.left === right && pair.right === left);
  if (!turned) return null;
  const flip = ({ value, interval }) => ({ value: -value, interval: interval && [-interval[1], -interval[0]] });
  const differences = Object.fromEntries(Object.entries(turned.differences).map(([name, found]) => [name, flip(found)]));
  return { left, right, differences, better: turned.worse, worse: turned.better, same: turned.same };
};

const isClear = (found) => Boolean(found?.interval) && (found.interval[0] > 0 || found.interval[1] < 0);

const cellOf = (tag, text, className = '', title = '') => {
  const cell = make(tag, className, text);
  if (title) cell.dataset.label = title;
  return cell;
};

const tableOf = (heads, rows) => {
  const table = make('table', '');
  const head = make('tr', '');
  head.append(...heads.map((text) => make('th', '', text)));
  const top = make('thead', '');
  top.append(head);
  const body = make('tbody', '');
  body.append(...rows);
  table.append(top, body);
  return table;
};

const paintFigures = () => {
  const { result, left, right } = chosen;
  const models = [result.models[left], result.models[right]];
  const names = models.map(modelName);
  const pair = left === right ? null : differencesOf(result, left, right);
  const lower = new Set(result.lower_is_better ?? []);
  const figures = [...new Set(['right', 'chrf', ...models.flatMap((model) => Object.keys(model.figures))])].filter((name) => models.some((model) => model.figures[name]));
  const rows = figures.map((name) => {
    const row = make('tr', '');
    row.dataset.figure = name;
    const head = cellOf('th', figureName(name));
    if (lower.has(name)) head.append(' ', make('span', 'ctx-note', t('lower_is_better')));
    row.append(head, ...models.map((model, i) => figureCell(name, model.figures[name], names[i])));
    if (pair) row.append(differenceCell(name, pair.differences[name], lower.has(name), models[0].figures[name]));
    return row;
  });
  const heads = [t('score_figure'), ...(left === right ? names.slice(0, 1) : names), ...(pair ? [t('difference')] : [])];
  if (left === right) rows.forEach((row) => row.children[2].remove());
  one('.ctx-figure-table').replaceChildren(tableOf(heads, rows));
  one('.ctx-split-better').textContent = pair ? t('better_worse', { name: names[1], better: whole(pair.better), worse: whole(pair.worse), same: whole(pair.same) }) : '';
  paintSlices();
};

const figureCell = (name, found, title) => {
  const cell = cellOf('td', '', '', title);
  cell.append(make('b', '', figureText(name, found)), ' ', make('span', 'ctx-note', intervalText(name, found)));
  return cell;
};

// `like`: the figure that the difference is one of.
const differenceCell = (name, found, lower, like) => {
  const cell = cellOf('td', '', 'ctx-difference', t('difference'));
  if (!found) return cell;
  const clear = isClear(found);
  const good = found.value !== 0 && found.value > 0 !== lower;
  cell.dataset.clear = clear ? (good ? 'better' : 'worse') : 'no';
  const sign = found.value > 0 ? '+' : '';
  cell.append(make('b', '', sign + figureText(name, found, found.value, like)), ' ', make('span', 'ctx-note', intervalText(name, found, like)));
  const none = !found.value && found.interval?.every((bound) => !bound); // the same in every draw
  if (!none) cell.append(' ', make('span', 'ctx-clear', t(clear ? (good ? 'clearly_better' : 'clearly_worse') : 'not_clear')));
  return cell;
};

const sliceField = one('.ctx-slices select');

const paintSlices = () => {
  const { result, left, right } = chosen;
  const slices = result.models[left].slices ?? {};
  const figures = new Set(Object.values(slices).flatMap((values) => Object.values(values).flatMap((one) => Object.keys(one).filter((name) => name !== 'n'))));
  one('.ctx-slices').hidden = !figures.size;
  if (!figures.size) return;
  const names = [...figures];
  fill(sliceField, names, figureName, names.includes(sliceField.value) ? sliceField.value : names[0]);
  paintSliceTables(slices, result.models[right].slices ?? {}, left === right);
};

const paintSliceTables = (slices, others, alone) => {
  const name = sliceField.value;
  const { result, left, right } = chosen;
  const titles = [result.models[left], result.models[right]].map(modelName);
  one('.ctx-slice-tables').replaceChildren(
    ...Object.entries(slices).map(([slice, values]) => {
      const box = make('div', '');
      const rows = Object.entries(values).map(([value, found]) => {
        const row = make('tr', '');
        row.append(cellOf('th', sliceText(slice, value)), cellOf('td', whole(found.n ?? 0), '', 'n'), figureCell(name, found[name], titles[0]));
        if (!alone) row.append(figureCell(name, others[slice]?.[value]?.[name], titles[1]));
        return row;
      });
      box.append(make('h3', '', t('slice_' + slice) || slice.replaceAll('_', ' ')));
      box.append(tableOf(['', 'n', ...(alone ? titles.slice(0, 1) : titles)], rows));
      return box;
    }),
  );
};

const sliceText = (slice, value) => (slice === 'class' ? className(value) : t(`slice_${slice}_${value}`) || value.replaceAll('_', ' '));
