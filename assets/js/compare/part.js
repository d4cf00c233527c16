// What all views of the Compare tab share: tasks, models by name, answers side by side with what differs
// painted, sentences with a word painted.

const className = (name) => t('class_' + String(name).replace(' ', '_')) || name;

// What a model is called: by its place in the catalogue, with the title its maker gave it.
const modelName = ({ name = '', title = '', version = '' }) => {
  const [kind, rest] = name.includes(':') ? [name.slice(0, name.indexOf(':')), name.slice(name.indexOf(':') + 1)] : [name, ''];
  if (kind === 'shipped' && rest) return t('named_also', { title: title || rest });
  const told = t('named_' + kind, { id: rest, title: title && title !== name ? title : '', version });
  return (told || title || name || version).trim();
};

// The models that can be set beside each other for the chosen pair; the base can do anything.
const modelsFor = (models, task = 'sense') =>
  models.filter((model) => model.name === 'base' || (model.task === task && model.pair === workPair()));

const fill = (select, choices, textOf, chosen = select.value) => {
  select.replaceChildren(
    ...choices.map((choice) => {
      const option = make('option', '', textOf(choice));
      option.value = choice;
      option.selected = String(choice) === String(chosen);
      return option;
    }),
  );
};

const SENTENCES = 'translation';

// What two models can do for the chosen pair, or did (`also`): chosen as it is, or as last time, or as
// the model that is wanted has it.
const fillTasks = (select, models, { wanted = '', also = [] } = {}) => {
  const can = (task) => also.includes(task) || modelsFor(models, task).length > 1;
  const found = ['sense', SENTENCES].filter(can);
  const tasks = found.length ? found : ['sense'];
  const model = models.find((one) => one.name === wanted && one.name !== 'base');
  fill(select, tasks, (name) => t('task_' + name), model?.task ?? (select.value || recall('compare.task')));
  select.closest('label').hidden = !tasks.includes(SENTENCES);
};

// A model that the address names is compared in its own pair, until somebody chooses another one.
// Whether the pair was changed by that.
let taken = '';
const takePairOf = (model) => {
  const again = model?.name === taken;
  taken = model?.name ?? '';
  if (again || !model || model.name === 'base' || model.pair === workPair()) return false;
  remember('work-pair', model.pair);
  window.dispatchEvent(new CustomEvent('ctx-pair'));
  return true;
};

const fillModels = (select, models, chosen) => {
  select.replaceChildren(
    ...models.map((model) => {
      const option = make('option', '', modelName(model));
      option.value = model.name;
      option.selected = model.name === chosen;
      return option;
    }),
  );
};

// Two models to begin with: `wanted` beside what readers have; or those that were chosen last, or
// else the base and what readers have.
const firstModels = (models, wanted = '') => {
  const names = models.map((model) => model.name);
  const readers = models.find((model) => model.present)?.name;
  if (names.includes(wanted)) {
    const left = [readers, 'base', ...names].find((name) => names.includes(name) && name !== wanted);
    return { left, right: wanted };
  }
  const known = (side) => names.find((name) => name === recall('compare.' + side));
  const left = known('left') ?? names[0];
  const right = [known('right'), readers, ...names].find((name) => name && name !== left);
  return { left, right };
};

const FIELDS = ['class', 'zh', 'phrase', 'phrase_zh', 'text'];
const saidOf = (answer, field) => (field === 'phrase' ? (answer.members ?? []).join() : (answer[field] ?? ''));
const differing = (one, other) => FIELDS.filter((field) => saidOf(one, field) !== saidOf(other, field));
const isSame = (one, other) => !differing(one, other).length;

// One answer; the fields in `marked` are painted. Whoever shows it marks its languages.
const answerOf = (answer, marked = []) => {
  const cell = make('div', 'ctx-answer-cell');
  const part = (field, tag, text, lang = '') => {
    const made = make(tag, `ctx-is-${field}${marked.includes(field) ? ' ctx-differs' : ''}`, text);
    if (lang) made.dataset.lang = lang;
    cell.append(made, ' ');
  };
  if ('text' in answer) {
    const parts = answer.parts?.length ? answer.parts : [[answer.text || '—', marked.includes('text')]];
    const text = make('span', 'ctx-is-text');
    text.append(...parts.map(([piece, differs]) => (differs ? make('span', 'ctx-differs', piece) : piece)));
    text.dataset.lang = 'target';
    text.dir = 'auto';
    cell.append(text, ' ');
    return cell;
  }
  part('zh', 'b', answer.zh || '—', 'target');
  if (answer.class) part('class', 'span', className(answer.class));
  if (answer.members?.length || answer.phrase) {
    part('phrase', 'span', answer.phrase, 'source');
    if (answer.phrase_zh) part('phrase_zh', 'span', answer.phrase_zh, 'target');
  } else if (marked.includes('phrase')) {
    part('phrase', 'span', t('phrase_none'));
  }
  return cell;
};

// Whether an answer is right, where a label says so.
const verdictOf = (answer) => {
  if (typeof answer.right !== 'boolean' || 'text' in answer) return ''; // one of many translations
  const mark = make('span', answer.right ? 'ctx-is-right' : 'ctx-is-wrong', answer.right ? '✓' : '✗');
  mark.setAttribute('role', 'img');
  mark.setAttribute('aria-label', t(answer.right ? 'is_right' : 'is_wrong'));
  return mark;
};

// Two answers beside each other; what differs is painted, the same is quiet.
const pairOf = (answers, names) => {
  const marked = differing(...answers);
  return answers.map((answer, i) => {
    const cell = answerOf(answer, marked);
    cell.dataset.side = ['left', 'right'][i];
    cell.dataset.name = names[i];
    cell.classList.toggle('ctx-same', !marked.length);
    cell.prepend(verdictOf(answer));
    return cell;
  });
};

const labelOf = (label) => {
  const line = make('p', 'ctx-pair-label ctx-note', t('text' in label ? 'reference_says' : 'label_says'));
  line.append(' ', answerOf(label));
  return line;
};

// A sentence from its pieces; `of` makes a word's element, given its text and its position.
const lineOf = (pieces, of) => pieces.map((piece, i) => (i % 2 ? of(piece, (i - 1) / 2) : document.createTextNode(piece)));

const wordAt = (position, members) => (text, w) => {
  const word = make('span', 'ctx-word-at', text);
  word.classList.toggle('ctx-target', w === position);
  word.classList.toggle('ctx-in-phrase', members.includes(w));
  return word;
};

const SHOWN_BY = {
  all: () => true,
  differ: ([one, other]) => !isSame(one, other),
  left: ([one, other]) => one.right === true && other.right === false,
  right: ([one, other]) => one.right === false && other.right === true,
  wrong: ([one, other]) => one.right === false && other.right === false,
};

// The filters as buttons with their counts.
const paintShow = (box, counts, chosen) => {
  const had = box.contains(document.activeElement) && document.activeElement.dataset.show;
  box.replaceChildren(
    ...Object.entries(counts).map(([name, n]) => {
      const choice = button(t('show_' + name), 'show', 'ctx-choice');
      choice.dataset.show = name;
      choice.append(' ', make('span', 'ctx-n', whole(n)));
      choice.setAttribute('aria-pressed', String(name === chosen));
      choice.disabled = !n && name !== chosen;
      return choice;
    }),
  );
  if (had) box.querySelector(`[data-show="${had}"]`)?.focus();
};

const paintBar = (bar, done, total) => {
  const share = total ? Math.round((100 * done) / total) : 0;
  bar.setAttribute('aria-valuenow', share);
  bar.querySelector('i').style.width = `${share}%`;
};

const signed = (x) => `${x > 0 ? '+' : ''}${shortText(x)}`;
