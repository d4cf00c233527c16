// Smaller models as a table and as points: a model's forms, or students of distillation runs.

const LEAST_KEPT = 0.9; // of a figure, by the gate
const megabytes = (bytes) => bytes / 1e6;
const orDash = (value, textOf) => (typeof value === 'number' ? textOf(value) : '–');

// Why a gate stayed closed, figure by figure, in the reader's language.
const gateWhy = (reason) =>
  reason
    .split('; ')
    .map((part) => {
      const keeps = part.match(/^(\w+) keeps ([\d.]+) \(from ([\d.]+)\)/);
      if (keeps) return t('smaller_keeps_too_little', { name: figureName(keeps[1]), kept: percent(Number(keeps[2])), low: percent(Number(keeps[3])) });
      const grows = part.match(/^(\w+) grows from ([\d.]+) to ([\d.]+)$/);
      if (grows) return t('smaller_grows', { name: figureName(grows[1]), before: percent(Number(grows[2])), after: percent(Number(grows[3])) });
      return t('reason_' + part) || part;
    })
    .join('; ');

const gateOf = ({ passed, reason }) => {
  const box = make('span', '');
  const key = passed === true ? 'smaller_passed' : passed === false ? 'smaller_failed' : 'smaller_not_judged';
  const verdict = make('b', 'ctx-gate', t(key));
  verdict.dataset.passed = String(passed);
  box.append(verdict);
  if (reason) box.append(' ', make('span', 'ctx-gate-why', gateWhy(reason)));
  return box;
};

const keptOf = ({ kept, low, high }) => {
  const box = make('span', '');
  box.append(make('b', '', orDash(kept, percent)));
  if (typeof low === 'number') box.append(' ', make('span', 'ctx-note', `${percent(low)} – ${percent(high)}`));
  return box;
};

const formRow = (form, i) => [
  [dotOf(i, !form.passed), ` ${i + 1} ${form.name}`],
  orDash(form.bytes, sizeText),
  orDash(form.memory, sizeText),
  orDash(form.ms, shortText),
  orDash(form.token_ms, shortText),
  keptOf(form),
  gateOf(form),
];

const studentRow = (student, i) => {
  const link = make('a', 'ctx-link', t('run_title', { id: student.name.slice(4) }));
  link.href = `#train/run/${student.name.slice(4)}`;
  return [[dotOf(i, !student.passed), ' ', link, ` ${student.title ?? ''}`], student.text, orDash(student.bytes, sizeText), orDash(student.ms, shortText), keptOf(student), gateOf(student)];
};

const FORM_HEADS = ['smaller_form', 'smaller_size', 'smaller_memory', 'smaller_click', 'smaller_token', 'smaller_kept', 'smaller_gate'];
const STUDENT_HEADS = ['smaller_student', 'smaller_teacher', 'smaller_size', 'smaller_answer', 'smaller_kept', 'smaller_gate'];

// What a form takes, by which it can be drawn.
const COSTS = {
  bytes: { text: 'smaller_scatter_x', of: ({ bytes }) => megabytes(bytes) },
  memory: { text: 'forms_memory_mb', of: ({ memory }) => megabytes(memory) },
  ms: { text: 'smaller_click', of: ({ ms }) => ms },
  token_ms: { text: 'smaller_token', of: ({ token_ms: ms }) => ms },
};

const fillCosts = (field) => {
  const before = field.value || 'bytes';
  field.replaceChildren(
    ...Object.keys(COSTS).map((name) => {
      const option = make('option', '', t('forms_by_' + name));
      option.value = name;
      return option;
    }),
  );
  field.value = before;
};

// The points that no other beats: as cheap and as good, and better in one.
const frontierOf = (points) =>
  points
    .filter((a) => !points.some((b) => b.x <= a.x && b.y >= a.y && (b.x < a.x || b.y > a.y)))
    .sort((a, b) => a.x - b.x);

// Paints `models` of one kind into a box with a table and a figure; `cost`: what is across.
const paintSmaller = (box, models, ofStudents = false, cost = 'bytes') => {
  const heads = (ofStudents ? STUDENT_HEADS : FORM_HEADS).map((key) => t(key));
  box.querySelector('.ctx-smaller-table').replaceChildren(labelledTable(heads, models.map(ofStudents ? studentRow : formRow)));
  const points = models
    .map((one, i) => ({
      i, x: typeof one[cost] === 'number' ? COSTS[cost].of(one) : null, y: one.kept, low: one.low, high: one.high, open: !one.passed,
      name: ofStudents ? t('run_title', { id: one.name.slice(4) }) : one.name,
      told: `${one.name}: ${orDash(one.kept, percent)}, ${orDash(one.bytes, sizeText)}`,
    }))
    .filter(({ x, y }) => typeof x === 'number' && typeof y === 'number');
  const told = { title: t(cost === 'bytes' ? 'smaller_scatter' : 'forms_scatter'), how: t('smaller_scatter_how'), across: t(COSTS[cost].text), points };
  paintScatter(box.querySelector('.ctx-scatter'), ofStudents ? told : { ...told, line: LEAST_KEPT, joined: frontierOf(points) });
};
