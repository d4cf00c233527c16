// What a job wrote, marked as what it is: sentences with the words they show, or translations.

const WRITES = ['sentences', 'translations'];

const cameLine = (line) => {
  const row = make('li', line.reason ? 'ctx-came-bad' : '');
  if (line.reason) {
    row.append(make('p', 'ctx-note', t('came_refused', { why: line.reason })));
    return row;
  }
  const text = make('p', 'ctx-came-line');
  text.lang = sourceTag();
  text.append(...sentenceParts(line.pieces, -1, line.translation ? [] : line.shown));
  row.append(text);
  if (line.translation) {
    const translation = make('p', 'ctx-came-translation', line.translation);
    translation.lang = targetTag();
    row.append(translation);
  }
  return row;
};

const cameBox = (job, came) => {
  const box = make('div', 'ctx-came');
  const head = make('p', 'ctx-note');
  head.append(make('span', 'ctx-state', t('synthetic')), ' ', t('synthetic_how', { who: job.name }));
  box.append(head);
  if (came.undone) box.append(make('p', 'ctx-note', t('came_undone')));
  if (!came.lines.length) box.append(make('p', 'ctx-note', t('came_none')));
  const list = make('ol', '');
  list.append(...came.lines.map(cameLine));
  box.append(list);
  const bar = make('div', 'ctx-row');
  const add = (action, text) => {
    const button = make('button', '', text);
    button.type = 'button';
    button.dataset.came = action;
    button.dataset.job = job.id;
    bar.append(button);
  };
  if (came.more) add('more', t('came_more'));
  if (came.import && !came.undone && job.kind === 'sentences') add('review', t('review_these'));
  if (bar.children.length) box.append(bar);
  return box;
};

// The first page, or with `before` the next one behind it.
const askCame = async (id, before) => {
  const last = before?.lines.at(-1);
  const reply = await ask('came', { id, after: last?.number ?? 0, part: (last?.part ?? -1) + 1 });
  return reply.error || !before ? reply : { ...reply, lines: [...before.lines, ...reply.lines] };
};
