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

const paintForms = () => {
  const box = one('.ctx-run-forms');
  const forms = details?.forms;
  box.hidden = !forms;
  if (box.hidden) return;
  box.querySelector('.ctx-smaller-judged').textContent = t('smaller_judged', { n: whole(forms.rows), dataset: forms.dataset, split: t('split_' + forms.split) });
  paintSmaller(box, forms.forms);
};

new ResizeObserver(() => run && paintForms()).observe(one('.ctx-run-forms .ctx-drawing'));
