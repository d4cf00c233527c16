// The form's fields, made of the recipe's own; their values as they will be sent. What is typed stays
// as it is typed: the app says what does not fit.

let recipeFields = []; // {name, kind, choices, basic, help, usual}
const START = 'start'; // not a field of the form's list, but checked and said like one

const choiceText = (name, value) => t(`choice_${name}_${value}`) || value || t('choice_none');

const controlOf = (field) => {
  const isChoice = field.kind === 'choice';
  const control = make(isChoice ? 'select' : 'input', '');
  control.name = field.name;
  if (isChoice) {
    control.append(...field.choices[form.task].map((value) => optionOf(value, choiceText(field.name, value))));
  } else if (field.kind === 'bool') {
    control.type = 'checkbox';
  } else {
    control.type = 'text';
    control.inputMode = { int: 'numeric', float: 'decimal' }[field.kind] ?? 'text';
    control.maxLength = props.limits.text;
  }
  control.autocomplete = 'off';
  control.spellcheck = false;
  return control;
};

const optionOf = (value, text) => {
  const option = make('option', '', text);
  option.value = value;
  return option;
};

const fieldBox = (field) => {
  const box = make('div', field.kind === 'bool' ? 'ctx-field ctx-field-mark' : 'ctx-field');
  box.dataset.field = field.name;
  const control = controlOf(field);
  const label = make('label', '');
  label.append(make('span', '', fieldName(field.name)), control);
  if (field.kind === 'bool') label.prepend(control);
  const help = make('p', 'ctx-note ctx-field-help', field.help[language]);
  help.id = `ctx-help-${field.name}`;
  const wrong = make('p', 'ctx-field-wrong');
  wrong.id = `ctx-wrong-${field.name}`;
  control.setAttribute('aria-describedby', `${wrong.id} ${help.id}`);
  box.append(label, wrong, help);
  return box;
};

const controlFor = (name) => one(`.ctx-field [name="${CSS.escape(name)}"]`);

const setValue = (field, value) => {
  const control = controlFor(field.name);
  if (field.kind === 'bool') control.checked = Boolean(value);
  else control.value = typeof value === 'number' ? plainNumber(value) : value;
};

// 0.0002 is easier to read, and to change, as 2e-4.
const plainNumber = (x) => (x && Math.abs(x) < 0.001 ? x.toExponential() : String(x));

const valueOf = (field) => {
  const control = controlFor(field.name);
  if (field.kind === 'bool') return control.checked;
  const text = control.value.trim();
  if (field.kind !== 'int' && field.kind !== 'float') return text;
  const number = Number(text.replace('−', '-'));
  return text && Number.isFinite(number) ? number : text;
};

// The fields of the chosen task.
const fieldsNow = () => recipeFields.filter((field) => field.tasks.includes(form.task));

const readValues = () => Object.fromEntries(fieldsNow().map((field) => [field.name, valueOf(field)]));

const buildFields = (values) => {
  const [basic, more] = [one('.ctx-basic'), one('.ctx-more .ctx-settings')];
  basic.replaceChildren(startBox(), ...fieldsNow().filter((field) => field.basic).map(fieldBox));
  more.replaceChildren(...fieldsNow().filter((field) => !field.basic).map(fieldBox));
  for (const field of fieldsNow()) {
    const value = values[field.name] ?? field.usual;
    const choices = field.choices[form.task];
    setValue(field, choices.length && !choices.includes(value) ? choices[0] : value);
  }
};

// What does not fit, said at each field; the first one is shown and gets the focus.
const showWrong = (names) => {
  root.querySelectorAll('.ctx-field').forEach((box) => {
    const { field } = box.dataset;
    const wrong = names.includes(field);
    box.querySelector('.ctx-field-wrong').textContent = wrong ? t('fits_' + field) || t('bad_field') : '';
    box.querySelector('input, select').setAttribute('aria-invalid', String(wrong));
  });
  const first = one('.ctx-field [aria-invalid=true]');
  if (!first) return;
  const more = first.closest('details');
  if (more) more.open = true;
  first.focus();
  first.closest('.ctx-field').scrollIntoView({ block: 'center' });
};

const clearWrong = (control) => {
  const box = control.closest('.ctx-field');
  if (!box) return;
  box.querySelector('.ctx-field-wrong').textContent = '';
  control.setAttribute('aria-invalid', 'false');
};
