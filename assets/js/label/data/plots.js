// Plots of plain elements: bars, columns, one bar in parts, a table. Each number also stands as text.

const whole = (n) => n.toLocaleString(language);
const percent = (x) => (x > 0 && x < 0.01 ? '<1 %' : `${Math.round(100 * x)} %`);

const figureOf = (name, title, note = '') => {
  const figure = make('figure', 'ctx-plot');
  figure.dataset.plot = name;
  figure.append(make('figcaption', '', title));
  if (note) figure.append(make('p', 'ctx-note', note));
  return figure;
};

const filled = (share, className = '') => {
  const track = make('span', 'ctx-track');
  const part = make('i', className);
  part.style.width = `${Math.max(share * 100, share ? 0.6 : 0)}%`;
  track.append(part);
  return track;
};

// rows: [text, number]; the longest bar is full.
const barsPlot = (name, title, rows) => {
  const figure = figureOf(name, title);
  const most = Math.max(1, ...rows.map(([, n]) => n));
  const all = rows.reduce((sum, [, n]) => sum + n, 0);
  const list = make('ul', 'ctx-bars');
  list.append(
    ...rows.map(([text, n]) => {
      const row = make('li', '');
      row.append(make('span', 'ctx-bar-name', text), filled(n / most), make('span', 'ctx-bar-n', whole(n)));
      row.title = `${text}: ${percent(n / all)}`;
      return row;
    }),
  );
  figure.append(list);
  return figure;
};

// rows: [text, number, what it is in full].
const columnsOf = (rows, className) => {
  const most = Math.max(1, ...rows.map(([, n]) => n));
  const list = make('ul', className);
  list.append(
    ...rows.map(([text, n, title]) => {
      const column = make('li', '');
      const bar = make('i', '');
      bar.style.height = `${Math.max((n / most) * 100, n ? 2 : 0)}%`;
      const box = make('span', 'ctx-column');
      box.append(bar);
      column.append(make('span', 'ctx-bar-n', n ? whole(n) : ''), box, make('span', 'ctx-bar-name', text));
      column.title = title;
      return column;
    }),
  );
  return list;
};

const columnsPlot = (name, title, rows, note) => {
  const figure = figureOf(name, title, note);
  figure.append(columnsOf(rows, 'ctx-columns'));
  return figure;
};

// parts: [key, text, number]; one bar with a legend that says each share.
const partsOf = (parts) => {
  const all = Math.max(1, parts.reduce((sum, [, , n]) => sum + n, 0));
  const bar = make('span', 'ctx-parts-bar');
  const legend = make('ul', 'ctx-legend');
  for (const [key, text, n] of parts) {
    const part = make('i', '');
    part.dataset.part = key;
    part.style.flexGrow = n / all;
    part.hidden = !n;
    bar.append(part);
    const line = make('li', '');
    const mark = make('i', '');
    mark.dataset.part = key;
    line.append(mark, `${whole(n)} ${text}`);
    if (n) line.append(make('span', 'ctx-note', ` ${percent(n / all)}`));
    legend.append(line);
  }
  return [bar, legend];
};

const partsPlot = (name, title, parts) => {
  const figure = figureOf(name, title);
  figure.append(...partsOf(parts));
  return figure;
};

// How far people agree: a line a field, with the share of equal answers as a bar.
const agreementPlot = (fields) => {
  const figure = figureOf('agreement', t('plot_agreement'), t('agreement_how'));
  if (!fields.some((field) => field.queries)) {
    figure.append(make('p', 'ctx-none', t('agreement_none')));
    return figure;
  }
  const table = make('table', 'ctx-agreement');
  const head = make('tr', '');
  const heads = ['', t('agree_equal'), 'κ', 'α', t('agree_queries')].map((text) => make('th', '', text));
  head.append(...heads);
  heads[2].title = t('kappa');
  heads[3].title = t('alpha');
  table.append(head, ...fields.map(agreementRow));
  figure.append(table);
  return figure;
};

const two = (x) => (x === null ? '–' : x.toFixed(2).replace('-', '−'));

const agreementRow = (field) => {
  const row = make('tr', '');
  row.dataset.field = field.field;
  const equal = make('td', '');
  const bar = make('div', 'ctx-equal');
  if (field.equal === null) equal.textContent = '–';
  else bar.append(filled(field.equal), make('span', 'ctx-bar-n', percent(field.equal)));
  equal.append(bar);
  const cells = [two(field.kappa), two(field.alpha), whole(field.queries)].map((text) => make('td', '', text));
  row.append(make('th', '', t('agree_' + field.field)), equal, ...cells);
  return row;
};

// Who decided how much, by day: a line a person.
const DAYS = 30;
const progressPlot = (progress) => {
  const figure = figureOf('progress', t('plot_progress'), t('progress_how', { days: DAYS }));
  if (!progress.length) {
    figure.append(make('p', 'ctx-none', t('progress_none')));
    return figure;
  }
  const days = lastDays();
  const people = new Map();
  for (const [who, day, n] of progress) people.set(who, { ...people.get(who), [day]: n });
  const list = make('ul', 'ctx-people');
  list.append(
    ...[...people].map(([who, byDay]) => {
      const row = make('li', '');
      const rows = days.map((day) => ['', byDay[day] ?? 0, `${day}: ${whole(byDay[day] ?? 0)}`]);
      const all = Object.values(byDay).reduce((sum, n) => sum + n, 0);
      row.append(make('span', 'ctx-bar-name', who), columnsOf(rows, 'ctx-days'), make('b', 'ctx-bar-n', whole(all)));
      return row;
    }),
  );
  figure.append(list);
  return figure;
};

// The store counts days in UTC.
const lastDays = () =>
  Array.from({ length: DAYS }, (_, i) => {
    const day = new Date(Date.now() - (DAYS - 1 - i) * 86400000);
    return day.toISOString().slice(0, 10);
  });
