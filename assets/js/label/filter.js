// The filter that queue, table and datasets share. `makeFilter(form, changed)` fills a form with its
// fields; read() is what the desk is asked with.

const CHOICES = {
  status: ['open', 'accepted', 'rejected', 'flagged', 'conflict'],
  class: () => props.classes,
  phrase: ['with', 'without', 'joined', 'split'],
};
const MARKS = ['corrected', 'differs', 'reported'];

const makeFilter = (form, changed) => {
  let waiting = 0;
  let ofImport = null; // set by another view; shown as a button that clears it
  const chip = make('button', 'ctx-of-import');

  const addChoice = (name, values) => {
    const label = make('label', '');
    const field = make('select', '');
    field.name = name;
    const texts = ['', ...values].map((value) => {
      const shown = value && name === 'class' ? className(value) : t(`${name}_${value || 'any'}`);
      const option = make('option', '', shown);
      option.value = value;
      return option;
    });
    field.append(...texts);
    label.append(make('span', '', t('filter_' + name)), field);
    return label;
  };

  // Who decided: the people there are, and whoever is chosen already.
  let people = [];
  const fillPeople = (field, chosen) => {
    const known = people.some(({ who }) => who === chosen) || !chosen;
    const options = [['', t('who_any')], ...people.map(({ who, n }) => [who, t('who_n', { who, n: countText(n) })])];
    if (!known) options.push([chosen, chosen]);
    field.replaceChildren(
      ...options.map(([value, text]) => {
        const option = make('option', '', text);
        option.value = value;
        return option;
      }),
    );
    field.value = chosen;
  };

  const addPeople = () => {
    const label = addChoice('who', []);
    fillPeople(label.querySelector('select'), '');
    return label;
  };

  const addText = (name) => {
    const label = make('label', '');
    const field = make('input', '');
    field.name = name;
    field.maxLength = 200;
    field.type = 'search';
    label.append(make('span', '', t('filter_' + name)), field);
    return label;
  };

  const addMark = (name) => {
    const label = make('label', 'ctx-mark');
    const field = make('input', '');
    field.type = 'checkbox';
    field.name = name;
    label.append(field, make('span', '', t('filter_' + name)));
    return label;
  };

  // Beside the fold, not in it: it must be seen.
  const showImport = () => {
    chip.hidden = ofImport === null;
    chip.textContent = `${t('filter_import', { n: ofImport })} ×`;
    chip.title = t('filter_import_clear');
  };

  const write = (values) => {
    ofImport = values.import ?? null;
    showImport();
    for (const field of form.elements) {
      if (field.type === 'checkbox') field.checked = values[field.name] === true;
      else if (field.name === 'who') fillPeople(field, values.who ?? '');
      else if (field.name) field.value = values[field.name] ?? '';
    }
  };

  const read = () => {
    const values = ofImport === null ? {} : { import: ofImport };
    for (const field of form.elements) {
      if (field.type === 'checkbox' && field.checked) values[field.name] = true;
      else if (field.type !== 'checkbox' && field.name && field.value.trim()) values[field.name] = field.value.trim();
    }
    return values;
  };

  const showTexts = () => {
    const values = read();
    const choices = Object.entries(CHOICES).map(([name, list]) => addChoice(name, typeof list === 'function' ? list() : list));
    const clear = make('button', 'ctx-quiet', t('filter_clear'));
    clear.type = 'button';
    clear.addEventListener('click', () => api.clear());
    form.replaceChildren(addText('text'), ...choices, addPeople(), ...MARKS.map(addMark), clear);
    write(values);
  };

  chip.type = 'button';
  chip.addEventListener('click', () => {
    ofImport = null;
    showImport();
    changed();
  });
  (form.closest('details') ?? form).before(chip);

  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(changed, 350);
  });

  const api = {
    read,
    write,
    showTexts,
    askPeople: async () => {
      const reply = await ask('people');
      if (reply.error) return;
      people = reply.people;
      const field = form.elements.who;
      fillPeople(field, field.value);
    },
    isSet: () => Object.keys(read()).length > 0,
    clear: () => {
      write({});
      changed();
    },
  };
  return api;
};
