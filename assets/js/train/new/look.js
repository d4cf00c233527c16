// A look before the start: what the run will be, whether it can fit, ten rows as the model sees them.

const question = () => ({ task: form.task, dataset: form.dataset, start: form.start, values: readValues() });

const goLine = one('.ctx-go p');

let busy = false;
const alone = async (text, act) => {
  if (busy) return;
  busy = true;
  const buttons = [...root.querySelectorAll('.ctx-go button')];
  const pressed = buttons.find((one) => one === document.activeElement); // disabled, it loses the focus
  buttons.forEach((one) => (one.disabled = true));
  goLine.textContent = text;
  try {
    await act();
  } finally {
    busy = false;
    buttons.forEach((one) => (one.disabled = false));
    paintGo();
    if (document.activeElement === document.body) pressed?.focus();
  }
};

// A refusal: at the fields where it is about fields, else in a toast.
const showRefusal = (reply) => {
  if (reply.error === 'bad_fields') {
    const names = reply.fields.map((name) => (name === START ? t('new_start_from') : fieldName(name)));
    toast(t('bad_fields_told', { fields: names.join(', ') }));
    return showWrong(reply.fields);
  }
  toast(errorWithDetail(reply));
};

const figure = (name, number, text) => {
  const box = make('div', '');
  box.dataset.figure = name;
  box.append(make('dd', '', number), make('dt', '', text));
  return box;
};

const parametersText = (n) => (n >= 1e6 ? `${(n / 1e6).toFixed(n >= 1e7 ? 0 : 1)} M` : whole(n));

// What a teacher takes of memory and time, and what it says on disk.
const teacherFigures = (teacher) => {
  const { cache_bytes: kept, left_bytes: left, seconds } = teacher;
  const said = { k: whole(teacher.top), n: whole(teacher.positions) };
  const asking = seconds === null ? t('plan_no_time') : timeText(seconds);
  const there = left < kept ? t('plan_cache_there', { size: sizeText(kept - left) }) : '';
  return [
    figure('teacher', teacher.memory_gb.toFixed(1), t('plan_teacher')),
    ...(kept ? [figure('cache', sizeText(kept), `${t('plan_cache', said)}${there}`)] : []),
    ...(kept && !left ? [] : [figure('asking', asking, t('plan_asking'))]),
  ];
};

const showPlan = (plan) => {
  const free = plan.free_gb.toFixed(1);
  const time = plan.seconds === null ? t('plan_no_time') : timeText(plan.seconds);
  one('.ctx-plan dl').replaceChildren(
    figure('rows', whole(plan.rows), t('plan_rows')),
    figure('sentences', whole(plan.sentences), t('plan_sentences')),
    figure('tokens', whole(plan.tokens), t('plan_tokens')),
    figure('steps', whole(plan.steps), t('plan_steps')),
    figure('parameters', parametersText(plan.parameters), t('plan_parameters')),
    figure('memory', plan.memory_gb.toFixed(1), t('plan_memory', { free })),
    figure('seconds', time, t('plan_seconds')),
    ...(plan.teacher ? teacherFigures(plan.teacher) : []),
  );
  const refused = one('.ctx-no-go');
  refused.hidden = !plan.refusal;
  const [advice, detail] = refused.querySelectorAll('p');
  advice.textContent = plan.refusal ? t('refused_' + plan.refusal) || t('refused_other') : '';
  detail.textContent = plan.refusal ? plan.detail : '';
  one('.ctx-plan-fits').hidden = Boolean(plan.refusal);
  one('.ctx-plan').hidden = false;
  one('.ctx-plan').scrollIntoView({ block: 'nearest' });
};

const check = () =>
  alone(t('new_checking'), async () => {
    const reply = await finish(await ask('check', question()));
    if (reply.error) return showRefusal(reply);
    showWrong([]);
    lastPlan = reply.plan;
    showPlan(lastPlan);
  });

// What a token is when it is written: its spaces and line ends are seen.
const tokenText = (token) => token.replaceAll('\n', '⏎').replaceAll(' ', '·') || '∅';

const previewRow = ([tokens, counts]) => {
  const row = make('li', '');
  row.append(
    ...tokens.map((token, i) => {
      const box = make(counts[i] ? 'mark' : 'span', 'ctx-token', tokenText(token));
      return box;
    }),
  );
  return row;
};

const preview = () =>
  alone(t('new_checking'), async () => {
    const reply = await finish(await ask('preview', question()));
    if (reply.error) return showRefusal(reply);
    showWrong([]);
    one('.ctx-preview ol').replaceChildren(...reply.rows.map(previewRow));
    one('.ctx-preview').hidden = false;
    one('.ctx-preview').scrollIntoView({ block: 'nearest' });
  });

// What was looked at no longer goes with the form.
let lastPlan = null;
const forgetLooks = () => {
  lastPlan = null;
  one('.ctx-plan').hidden = true;
  one('.ctx-preview').hidden = true;
};
