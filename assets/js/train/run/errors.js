// How many rows had each kind of error at each checkpoint, as curves, with examples of one of them.

const errorStep = one('.ctx-run-errors select');
let errorsPainted = '';

const kindName = (kind) => t('kind_' + kind) || kind.replaceAll('_', ' ');
const kindsOf = (errors) => [...new Set(errors.flatMap(({ counts = {} }) => Object.keys(counts).filter((kind) => counts[kind])))];

const errorCurves = () =>
  kindsOf(told.errors).map((kind) => ({
    name: kind,
    text: kindName(kind),
    points: told.errors.map(({ step, counts }) => [step, counts?.[kind] ?? 0]),
  }));

// The step whose examples are shown: as chosen, or else the best's, or the last.
const shownErrors = () => {
  const steps = told.errors.map((one) => one.step);
  const best = bestOf(told)?.step;
  const step = [Number(errorStep.dataset.chosen), best, steps.at(-1)].find((wanted) => steps.includes(wanted));
  return told.errors.findLast((one) => one.step === step);
};

const paintErrors = () => {
  const box = one('.ctx-run-errors');
  box.hidden = !told.errors.length;
  const now = JSON.stringify([told.errors.length, told.errors.at(-1)?.step, bestOf(told)?.step, errorStep.dataset.chosen, language]);
  if (box.hidden || now === errorsPainted) return;
  errorsPainted = now;
  const shown = shownErrors();
  errorStep.replaceChildren(
    ...told.errors.map(({ step }) => {
      const option = make('option', '', t('step_n', { n: whole(step) }));
      option.value = step;
      option.selected = step === shown.step;
      return option;
    }),
  );
  const kinds = Object.entries(shown.counts ?? {}).filter(([, count]) => count);
  one('.ctx-error-kinds').replaceChildren(...(kinds.length ? kinds.map(([kind, count]) => kindOf(shown, kind, count)) : [make('li', 'ctx-note', t('errors_none'))]));
};

// Of how many rows: those that are written freely are fewer.
const rowsOf = ({ rows, written }, kind) => (['text_after', 'unreadable'].includes(kind) ? written : rows) ?? rows ?? 0;

const kindOf = (shown, kind, count) => {
  const item = make('li', '');
  item.dataset.kind = kind;
  item.append(make('h3', '', `${kindName(kind)}: ${t('of_whole', { n: whole(count), of: whole(rowsOf(shown, kind)) })}`));
  item.append(...(shown.examples?.[kind] ?? []).map(exampleOf));
  return item;
};

const exampleOf = ({ context, target, expected, answered }) => {
  const line = make('p', '');
  const sentence = make('span', 'ctx-error-context', context);
  sentence.lang = sourceTag(run.pair);
  const word = make('b', '', target);
  word.lang = sourceTag(run.pair);
  line.append(word, ' — ', sentence, make('br', ''), make('span', 'ctx-note', t('errors_said', { expected, answered: answered || '—' })));
  return line;
};

errorStep.addEventListener('change', () => {
  errorStep.dataset.chosen = errorStep.value;
  paintErrors();
});
