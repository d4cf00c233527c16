// The form that freezes a dataset: what it is called, which answers, and what is wrong with them.

const freezeBox = one('.ctx-freeze');
const freezeFields = one('.ctx-freeze-fields');
const refusal = one('.ctx-refusal');
const filter = makeFilter(one('.ctx-freeze .ctx-filter form'), () => countRows());
let refused = null; // what stood in the way last
let counted = null;
let counting = 0;

freezeFields.elements.name.maxLength = props.limits.name;
freezeFields.elements.about.maxLength = props.limits.about;

const ofSentences = () => freezeFields.elements.task.value === 'translation';

const which = () => {
  const { task, teacher, proposals } = freezeFields.elements;
  const whose = { task: task.value, teacher: ofSentences() ? teacher.value : '' };
  return { ...whose, filter: filter.read(), proposals: proposals.checked };
};

// What belongs to one task only is not there in the other.
const paintTask = () => {
  one('.ctx-of-words').hidden = ofSentences();
  one('.ctx-freeze .ctx-filter').hidden = ofSentences();
  one('.ctx-of-sentences').hidden = !ofSentences() || freezeFields.elements.teacher.options.length < 2;
};

const fillTeachers = (teachers) => {
  const { teacher } = freezeFields.elements;
  const chosen = teacher.value;
  const options = teachers.map((name) => {
    const option = make('option', '', name);
    option.value = name;
    return option;
  });
  teacher.replaceChildren(teacher.options[0], ...options);
  teacher.value = teachers.includes(chosen) ? chosen : '';
  paintTask();
};

const countRows = async () => {
  const mine = ++counting;
  showRefusal(null);
  const reply = await ask('count', which());
  if (mine !== counting) return;
  counted = reply.error ? null : reply.count;
  if (reply.teachers) fillTeachers(reply.teachers);
  if (reply.error) toast(errorText(reply));
  paintCount();
};

const paintCount = () => {
  const key = ofSentences() ? 'n_sentences' : 'n_chosen';
  one('.ctx-freeze-count').textContent =
    counted === null ? '' : t(counted === 1 ? `${key}_one` : key, { n: whole(counted) });
  one('[data-do=freeze]').disabled = !counted;
};

const beginFreeze = () => {
  freezeBox.hidden = false;
  one('[data-do=begin]').setAttribute('aria-expanded', 'true');
  countRows();
  freezeFields.elements.name.focus();
};

const cancelFreeze = () => {
  freezeBox.hidden = true;
  one('[data-do=begin]').setAttribute('aria-expanded', 'false');
  showRefusal(null);
};

const freeze = async (without = false) => {
  const { name: nameField, about } = freezeFields.elements;
  if (!nameField.value.trim()) {
    toast(t('set_needs_name'));
    return nameField.focus();
  }
  const buttons = [...freezeBox.querySelectorAll('button[data-do]')];
  buttons.forEach((button) => (button.disabled = true));
  one('.ctx-freeze-count').textContent = t('at_work');
  const question = { ...which(), name: nameField.value, about: about.value, without };
  const reply = await finish(await ask('freeze', question), () => {});
  buttons.forEach((button) => (button.disabled = false));
  paintCount();
  if (reply.error) return toast(errorText(reply));
  if (reply.invalid) return showRefusal(reply);
  freezeFields.reset();
  paintTask();
  cancelFreeze();
  toast(t('froze', { name: reply.dataset.name, n: whole(reply.dataset.rows) }));
  loadSets();
};

const showRefusal = (reply) => {
  refused = reply;
  refusal.hidden = !reply;
  const button = one('[data-do=without]');
  button.hidden = !reply || !reply.good;
  if (!reply) return;
  button.textContent = t(reply.invalid === 1 ? 'freeze_without_one' : 'freeze_without', { n: whole(reply.invalid) });
  refusal.querySelector('p').textContent = t('refused_set', { n: whole(reply.invalid), all: whole(reply.invalid + reply.good) });
  const reasons = Object.entries(reply.reasons).sort(([, a], [, b]) => b - a);
  refusal.querySelector('ul').replaceChildren(
    ...reasons.map(([reason, n]) => make('li', '', `${whole(n)} × ${reasonText(reason)}`)),
  );
  refusal.querySelector('ol').replaceChildren(...reply.rows.map(refusedRow));
};

// Opens in the review queue, where it can be corrected or accepted as it is.
const refusedRow = (row) => {
  const line = make('li', '');
  const open = make('button', 'ctx-bare ctx-refused-open');
  open.type = 'button';
  open.dataset.open = row.id;
  const sentence = make('span', 'ctx-refused-text');
  sentence.lang = sourceTag();
  sentence.append(...sentenceParts(row.pieces, row.position, row.answer.members));
  const answer = make('span', 'ctx-refused-answer');
  const meaning = make('b', '', row.answer.meaning);
  meaning.lang = targetTag();
  answer.append(meaning, ' ', make('span', 'ctx-note', row.reasons.map(reasonText).join(' ')));
  open.append(sentence, answer);
  line.append(open);
  return line;
};

freezeFields.addEventListener('change', (event) => {
  if (event.target.name === 'task') paintTask();
  if (['task', 'teacher', 'proposals'].includes(event.target.name)) countRows();
});
freezeFields.addEventListener('submit', (event) => {
  event.preventDefault();
  if (counted) freeze();
});
