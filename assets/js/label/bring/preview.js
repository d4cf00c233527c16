// The preview: what a file holds, which words become questions, what is refused and why.

const previewSection = one('.ctx-bring-preview');
const saidForm = one('.ctx-said-of');
const limitField = one('.ctx-limit input');

const limit = () => Number(limitField.value);
const count = (n) => n.toLocaleString(language);
const SHOWN_GOOD = 6;

// Sentences with so many words become that many questions, up to the limit: no need to ask again.
const questionsOf = (preview) => preview.words.reduce((sum, [words, n]) => sum + n * Math.min(words, limit()), 0);
const refusedOf = (preview) => preview.refused.reduce((sum, [, n]) => sum + n, 0);

const figure = (key, n) => {
  const box = make('div', n ? '' : 'ctx-zero');
  box.dataset.figure = key;
  box.append(make('dd', '', count(n)), make('dt', '', t(n === 1 ? key + '_one' : key)));
  return box;
};

// Rows are questions themselves; sentences become some.
const paintFigures = () => {
  const { preview } = held;
  const n = questionsOf(preview);
  const boxes = [];
  if (preview.sentences || !preview.rows) boxes.push(figure('n_questions', n), figure('n_sentences', preview.sentences));
  if (preview.rows) boxes.push(figure('n_rows', preview.rows));
  one('.ctx-figures').replaceChildren(...boxes, figure('n_refused', refusedOf(preview)));
  one('.ctx-limit span').textContent = t(limit() === 1 ? 'words_limit_one' : 'words_limit', { n: limit() });
  const submit = saidForm.querySelector('[type=submit]');
  submit.textContent = importText(preview, n);
  submit.disabled = !n;
  saidForm.querySelector('[role=alert]').textContent = n ? '' : t('nothing_good');
};

const importText = (preview, n) => {
  if (!preview.whole) return t('import_all');
  if (n === 1) return t('import_one');
  return t(preview.sentences ? 'import_n' : 'import_rows', { n: count(n) });
};

const goodLine = (one) => {
  const item = make('li', 'ctx-good-line');
  const sentence = make('p', 'ctx-good-text');
  sentence.lang = sourceTag();
  const { answer, pieces } = one;
  sentence.append(...sentenceParts(pieces, answer ? one.asked[0] : -1, answer ? answer.members : []));
  if (!answer) {
    one.asked.slice(0, limit()).forEach((w) => sentence.querySelector(`[data-w="${w}"]`).classList.add('ctx-asked'));
  }
  item.append(sentence);
  if (one.translation) {
    const translation = make('p', 'ctx-note', one.translation);
    translation.lang = targetTag();
    item.append(translation);
  }
  if (answer) item.append(answerLine(pieces, answer));
  return item;
};

const answerLine = (pieces, answer) => {
  const line = make('p', 'ctx-good-answer');
  const meaning = make('b', '', answer.meaning);
  meaning.lang = targetTag();
  line.append(meaning, ' ', make('span', 'ctx-note', className(answer.class)));
  if (answer.members.length) {
    line.append(' ', make('span', 'ctx-its-phrase', `${phraseOf(pieces, answer.members)} | ${answer.phraseMeaning}`));
  }
  return line;
};

const reasonText = (code) => t('reason_' + code) || t('reason_other', { code });

const ruleText = (rule) => t('rule_' + rule) || rule;

const countedLine = (n, text) => {
  const item = make('li', '');
  item.append(make('b', '', t('times_n', { n: count(n) })), ' ' + text);
  return item;
};

const reasonLine = ([code, n]) => countedLine(n, reasonText(code));
const ruleLine = ([rule, n]) => countedLine(n, ruleText(rule));

const refusedLine = (line) => {
  const item = make('li', 'ctx-refused-line');
  const key = line.part ? 'line_part' : 'line_n';
  const where = make('span', 'ctx-note', t(key, { n: count(line.number), part: line.part + 1 }));
  const why = line.reason ? reasonText(line.reason) : line.rules.map(ruleText).join(' ');
  item.append(where, make('span', 'ctx-why', why), make('code', '', line.raw));
  return item;
};

const encodingText = (name) => t('encoding_' + name) || name.replaceAll('_', '-').toUpperCase();

// A guess may be wrong, and then the person sees it; UTF-8 is none.
const readAs = one('.ctx-read-as select');
const showEncodings = ({ encoding }) => {
  one('.ctx-read-as').hidden = !encoding || encoding.startsWith('utf-8');
  const names = [...new Set([encoding, ...props.limits.encodings])];
  readAs.replaceChildren(
    ...names.map((name) => {
      const option = make('option', '', encodingText(name));
      option.value = name;
      return option;
    }),
  );
};

readAs.addEventListener('change', () => lookAt({ look: held.look, encoding: readAs.value }));

const showPreview = () => {
  const { preview } = held;
  showEncodings(preview);
  const title = previewSection.querySelector('header h2');
  title.textContent = held.name;
  const about = [t('form_' + preview.format), preview.encoding && encodingText(preview.encoding), sizeText(held.file.size)];
  previewSection.querySelector('header p').textContent = about.filter(Boolean).join(' · ');
  one('.ctx-partly').textContent = preview.whole ? '' : t('preview_partly', { n: count(preview.lines) });
  one('.ctx-limit').hidden = !preview.sentences;
  const good = one('.ctx-good');
  good.hidden = !preview.good.length;
  good.querySelector('p').textContent = t(preview.good.some((line) => line.answer) ? 'good_how_rows' : 'good_how');
  const bad = one('.ctx-not-kept');
  bad.hidden = !preview.refused.length;
  bad.querySelector('.ctx-reasons').replaceChildren(...preview.refused.map(reasonLine));
  bad.querySelector('.ctx-refused').replaceChildren(...preview.bad.map(refusedLine));
  showAgainst();
  one('.ctx-whose').hidden = !preview.rows;
  paintPreview();
  setState('preview');
};

// Rows that come in though they break a rule: whose they are says what becomes of them.
const showAgainst = () => {
  const { preview } = held;
  const box = one('.ctx-against');
  const people = saidForm.elements.by.value === 'people';
  box.hidden = !preview.against;
  box.querySelector('h3').textContent = t(preview.against === 1 ? 'against_one' : 'against', { n: count(preview.against) });
  box.querySelector('.ctx-note').textContent = t(people ? 'against_people' : 'against_model');
  box.querySelector('.ctx-reasons').replaceChildren(...preview.broken.map(ruleLine));
  box.querySelector('.ctx-refused').replaceChildren(...preview.odd.map(refusedLine));
};

const paintPreview = () => {
  paintFigures();
  one('.ctx-good ol').replaceChildren(...held.preview.good.slice(0, SHOWN_GOOD).map(goodLine));
};

// A new text: its fields begin empty, but for the person's own name where people answered.
const beginFields = () => {
  saidForm.reset();
  saidForm.elements.answers.maxLength = props.limits.name;
  saidForm.elements.origin.maxLength = props.limits.origin;
  limitField.max = props.limits.mostWords;
  limitField.value = props.limits.words;
  root.querySelectorAll('.ctx-bad').forEach((box) => {
    box.open = false;
  });
};

limitField.addEventListener('input', () => held.preview && paintPreview());

saidForm.addEventListener('change', (event) => {
  const { answers } = saidForm.elements;
  if (event.target.value === 'people' && !answers.value.trim()) answers.value = person();
  if (event.target.name === 'by') showAgainst();
});

saidForm.addEventListener('submit', (event) => {
  event.preventDefault();
  startImport();
});
