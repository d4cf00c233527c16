// A run's curves, painted anew as it tells more, with what happened to it as marks across.

const plots = new Map();

const plotFor = (name) => {
  if (!plots.has(name)) {
    const plot = makePlot(name);
    plots.set(name, plot);
    one('.ctx-curves').append(plot.element);
  }
  return plots.get(name);
};

const forgetPlots = () => {
  plots.clear();
  one('.ctx-curves').replaceChildren();
};

const WRITTEN = ['valid', 'ended']; // of rows that are written freely, which are fewer
const DEV = ['score', 'meaning_match', 'class_accuracy', 'phrase_f1', 'phrase_precision', 'phrase_recall', 'rouge_1', 'rouge_2', 'rouge_l', 'base_embedding_f1', ...WRITTEN];
const QUIET = ['phrase_precision', 'phrase_recall', 'rouge_1', 'rouge_2', ...WRITTEN]; // to be switched on

const curvesOf = (events, names) =>
  names
    .map((name) => ({ name, text: figureName(name), points: curveOf(events, name) }))
    .filter((curve) => curve.points.length);

// A corpus is told by pieces of its text: which share of each was kept, and what dropped the others.
const corpusSpecs = () => {
  const { steps } = told;
  const names = [...new Set(steps.flatMap(Object.keys))].filter((name) => name.startsWith('dropped_'));
  const dropped = names.filter((name) => steps.some((one) => one[name] > 0));
  return {
    kept: { title: t('plot_kept'), how: t('plot_kept_how'), unit: 'row', curves: curvesOf(steps, ['kept_share']) },
    dropped: { title: t('plot_dropped'), how: t('plot_dropped_how'), unit: 'row', curves: curvesOf(steps, dropped) },
    speed: { title: t('plot_speed'), unit: 'row', curves: curvesOf(steps, ['rows_per_second']) },
    memory: { title: t('plot_memory'), unit: 'row', curves: curvesOf(steps, ['memory_gb']) },
  };
};

// A figure that could not be had is named, with the reason.
const devHow = () => {
  const { leftOut } = told;
  if (!leftOut || curveOf(told.devs, leftOut.figure).length) return t('plot_dev_how');
  const why = t('model_' + leftOut.code) || leftOut.reason;
  return `${t('plot_dev_how')} ${t('plot_left_out', { figure: figureName(leftOut.figure), why })}`;
};

const specs = () => {
  if (run.kind === 'corpus') return corpusSpecs();
  const { steps, devs } = told;
  const dev = curvesOf(devs, DEV);
  const score = dev.find((curve) => curve.name === 'score');
  const bounded = devs.filter((one) => typeof one.low === 'number' && typeof one.high === 'number');
  if (score) score.band = bounded.map((one) => [one.step, one.low, one.high]);
  const rows = devs.findLast((one) => one.written)?.written;
  for (const curve of dev) if (rows && WRITTEN.includes(curve.name)) curve.text = t('score_rows', { name: curve.text, n: whole(rows) });
  const trained = run.kind === 'train';
  const texts = curvesOf(devs, ['chrf', 'bleu', 'ter']);
  const all = texts.length > 1; // what was made by an earlier version told BLEU alone
  const losses = [...curvesOf(steps, ['loss']), ...curvesOf(devs, ['dev_loss'])];
  return {
    loss: { title: t('plot_loss'), how: t('plot_loss_how'), curves: losses },
    dev: { title: t(trained ? 'plot_dev' : 'plot_chrf'), how: devHow(), curves: dev, quiet: QUIET },
    bleu: { title: t(all ? 'plot_texts' : 'plot_bleu'), how: all && t('plot_texts_how'), curves: texts },
    rate: { title: t('plot_rate'), curves: curvesOf(steps, ['rate']) },
    answer: { title: t('plot_answer'), curves: curvesOf(devs, ['answer_ms']) },
    speed: { title: t('plot_speed'), curves: curvesOf(steps, ['rows_per_second']) },
    errors: { title: t('plot_errors'), how: t('plot_errors_how'), curves: errorCurves() },
    memory: { title: t('plot_memory'), curves: curvesOf(steps, ['memory_gb']) },
  };
};

const paintCurves = () => {
  const best = bestOf(told)?.step;
  const right = Math.max(1, lastStep()?.step ?? 0, told.devs.at(-1)?.step ?? 0);
  const marks = told.marks.map((mark) => ({ x: mark.step, text: markText(mark) }));
  if (best !== undefined) marks.push({ x: best, text: t('mark_best') });
  marks.sort((a, b) => a.x - b.x);
  let any = false;
  for (const [name, spec] of Object.entries(specs())) {
    if (!spec.curves.length) continue;
    any = true;
    const wide = ['loss', 'dev', 'bleu', 'errors'].includes(name);
    plotFor(name).update({ ...spec, right, ...(wide ? { best, marks } : {}) });
  }
  one('.ctx-run-curves > .ctx-none').hidden = any;
  paintMarks();
};

const markWhy = (mark) => {
  const parts = [mark.reason ? t('why_' + mark.reason) || mark.reason : ''];
  if (typeof mark.rate === 'number') parts.push(`${figureName('rate')} ${shortText(mark.rate)}`);
  return parts.filter(Boolean).join(', ');
};

const paintMarks = () => {
  const box = one('.ctx-run-marks');
  box.hidden = !told.marks.length;
  box.querySelector('ol').replaceChildren(
    ...told.marks.map((mark) => {
      const line = make('li', '');
      line.dataset.mark = mark.event;
      line.append(make('b', '', t('step_n', { n: whole(mark.step) })), ` ${markText(mark)} `, make('span', 'ctx-note', markWhy(mark)));
      return line;
    }),
  );
};
