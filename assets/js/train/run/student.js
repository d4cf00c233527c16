// A distillation's student: what it is made of, what it holds of its teacher, and what that was asked
// to be; and a run's smaller forms, where somebody made some.

const ofWhole = (n, of) => t('of_whole', { n: whole(n), of: whole(of) });

const studentLines = () => {
  const { made, result } = told;
  const { student, taught } = made;
  const gate = result?.gate;
  const ms = bestOf(told)?.answer_ms;
  return [
    ['student_teacher', run.teacher && (t('choice_reference_' + run.teacher) || run.teacher)],
    ['student_layers', student && ofWhole(student.layers, student.of_layers)],
    ['student_tokens', student && ofWhole(student.tokens, student.of_tokens)],
    ['student_bytes', student && t('of_whole', { n: sizeText(student.bytes), of: sizeText(student.teacher_bytes) })],
    ['student_taught', typeof taught?.tokens === 'number' && `${whole(taught.tokens)} (${sizeText(taught.bytes)})`],
    ['student_ms', typeof ms === 'number' && t('ms_n', { n: shortText(ms) })],
    ['student_kept', gate && `${percent(gate.kept)} (${percent(gate.low)} – ${percent(gate.high)})`],
    ['student_asked', gate && t('student_least', { least: percent(gate.least), low: percent(gate.least_low) })],
  ].filter(([, text]) => text);
};

const paintStudent = () => {
  const box = one('.ctx-run-student');
  box.hidden = !run.teacher;
  if (box.hidden) return;
  box.querySelector('dl').replaceChildren(...studentLines().map(([key, text]) => term(t(key), text)));
};

const costField = one('.ctx-smaller-across select');

// The smallest form that passed, and whether it is as small as was asked for.
const smallestText = ({ forms }) => {
  const passed = forms.filter((form) => form.passed).sort((a, b) => a.bytes - b.bytes);
  if (!passed.length || run.kind !== 'quantise' || run.state !== 'done') return '';
  const share = passed[0].bytes / forms[0].bytes;
  const wanted = details.recipe.fields.find((field) => field.name === 'ratio')?.value;
  const asked = wanted ? t(share <= wanted ? 'forms_reached' : 'forms_not_reached', { share: percent(wanted) }) : '';
  return `${t('forms_smallest', { form: passed[0].name, size: sizeText(passed[0].bytes), share: percent(share) })} ${asked}`;
};

// Each figure of each form, with the share of the original's that it keeps.
const worthTable = ({ figures, worth }) => {
  const heads = [t('smaller_form'), ...figures.map(figureName)];
  const cellOf = ({ value, share }) => {
    const cell = make('span', '', orDash(value, percent));
    if (typeof share === 'number') cell.append(' ', make('span', 'ctx-note', t('forms_share', { share: percent(share) })));
    return cell;
  };
  return labelledTable(heads, worth.map(({ name, figures: mine }) => [[name], ...mine.map(cellOf)]));
};

const missingLine = ({ name, why }) => {
  const line = make('li', '');
  line.append(make('b', '', name), ' ', make('span', 'ctx-note', why));
  return line;
};

const paintForms = () => {
  const box = one('.ctx-run-forms');
  const forms = details?.forms;
  box.hidden = !forms;
  if (box.hidden) return;
  box.querySelector('.ctx-smaller-judged').textContent = t('smaller_judged', { n: whole(forms.rows), dataset: forms.dataset, split: t('split_' + forms.split) });
  box.querySelector('.ctx-forms-smallest').textContent = smallestText(forms);
  fillCosts(costField);
  paintSmaller(box, forms.forms, false, costField.value);
  const { worth = [], missing = [] } = forms;
  box.querySelector('.ctx-forms-worth').hidden = !worth.length;
  box.querySelector('.ctx-forms-missing').hidden = !missing.length;
  if (worth.length) box.querySelector('.ctx-worth-table').replaceChildren(worthTable(forms));
  box.querySelector('.ctx-forms-missing ul').replaceChildren(...missing.map(missingLine));
};

costField.addEventListener('change', paintForms);
new ResizeObserver(() => run && paintForms()).observe(one('.ctx-run-forms .ctx-drawing'));
