// All promotions, the newest first: when, what, who, why, and by which comparison.

let rows = null;

const howText = (row) => {
  const parts = [t(row.undoes ? 'history_back' : 'history_promoted')];
  if (row.who) parts.push(t('present_by', { who: row.who }));
  return parts.join(' · ');
};

const measuredText = ({ compared }) => {
  const [first] = compared?.differences ?? [];
  if (!first) return '';
  const values = { figure: figureName(first.figure), value: signed(first.value), low: signed(first.low), high: signed(first.high) };
  return t('history_difference', { ...values, dataset: compared.dataset });
};

const lineOf = (row) => {
  const line = make('li', '');
  line.dataset.promotion = row.id;
  const head = make('p', 'ctx-history-what');
  const what = [pairName(row.pair), t('task_' + row.task), kindOf(row.name)].filter(Boolean).join(' · ');
  head.append(cardLink({ name: row.version }, titleOf(row)), ' ', make('span', 'ctx-note', what));
  const when = make('p', 'ctx-note', `${whenText(row.when)} · ${howText(row)}`);
  line.append(head, when);
  if (measuredText(row)) {
    const measured = make('p', 'ctx-note', measuredText(row) + ' ');
    measured.append(goTo(t('promote_rows'), '#compare/split/' + row.compared.job));
    line.append(measured);
  }
  if (row.against.length) {
    const what = row.against.map((name) => t('against_' + name)).join(' ');
    line.append(make('p', 'ctx-unfit', t('history_although', { what })));
  }
  if (row.reason) line.append(make('p', 'ctx-reason-told', t('present_why', { reason: row.reason })));
  return line;
};

const paintRows = () => {
  one('.ctx-history-list').replaceChildren(...rows.map(lineOf));
  one('.ctx-history-shown .ctx-none').hidden = rows.length > 0;
};

const look = async () => {
  if (props.limits.hosted) return;
  const reply = await ask('promotions');
  if (reply.error) return toast(errorText(reply));
  rows = reply.promotions;
  root.dataset.state = 'shown';
  paintRows();
};

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  fillTexts();
  if (rows) paintRows();
});

fillTexts();
if (props.limits.hosted) root.dataset.state = 'closed';
whenShown('history', look);
