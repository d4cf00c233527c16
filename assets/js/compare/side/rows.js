// The sentences that were asked, their words and the answers to those that are shown, or their
// translations.

// `sentences` as the desk cut them; `rows` of each once it is answered; `opened` words that were
// clicked: they are shown whatever the filter says.
const found = { sentences: [], rows: [], left: null, right: null, task: 'sense', pair: USUAL_PAIR, shown: 'differ', opened: new Set() };

const keyOf = (s, w) => `${s}/${w}`;
const namesOf = () => [modelName(found.left), modelName(found.right)];
const allRows = () => found.rows.flatMap((rows, s) => (rows ?? []).map((row) => ({ ...row, s })));
const isOpen = (row) => found.opened.has(keyOf(row.s, row.position));
const isListed = (row) => SHOWN_BY[found.shown](row.answers) || isOpen(row);
const listed = () => allRows().filter(isListed);

const paintFound = () => {
  const rows = allRows();
  const differ = rows.filter((row) => SHOWN_BY.differ(row.answers)).length;
  root.dataset.state = rows.length ? 'shown' : root.dataset.state;
  const ofSentences = found.task === SENTENCES;
  one('.ctx-found-head h2').textContent = t(ofSentences ? 'sentences_differ' : 'words_differ', { n: whole(differ), total: whole(rows.length) });
  one('.ctx-found-head .ctx-note').hidden = one('.ctx-raw').hidden = ofSentences;
  const labelled = !ofSentences && rows.some((row) => row.label);
  const names = labelled ? ['differ', 'all', 'left', 'right', 'wrong'] : ['differ', 'all'];
  const counts = Object.fromEntries(names.map((name) => [name, rows.filter((row) => SHOWN_BY[name](row.answers)).length]));
  paintShow(one('.ctx-show'), counts, found.shown);
  namesOf().forEach((name, i) => {
    one(`.ctx-pair-head [data-name=${['left', 'right'][i]}]`).textContent = name;
  });
  one('.ctx-sentences').replaceChildren(...found.sentences.map(sentenceOf));
  one('.ctx-none').hidden = !rows.length || rows.some(isListed);
  paintRawButton();
};

const sentenceOf = (sentence, s) => {
  const item = make('li', 'ctx-sentence');
  const line = make('p', 'ctx-side-line');
  line.lang = sourceTag(found.pair);
  const rows = new Map((found.rows[s] ?? []).map((row) => [row.position, row]));
  line.append(
    ...lineOf(sentence.pieces, (text, w) => {
      if (found.task === SENTENCES) return document.createTextNode(text);
      const row = rows.get(w);
      const word = button(text, 'word', 'ctx-word-at');
      word.dataset.key = keyOf(s, w);
      word.disabled = !row;
      if (row) {
        word.classList.toggle('ctx-differs', SHOWN_BY.differ(row.answers));
        word.setAttribute('aria-pressed', String(isListed({ ...row, s })));
      }
      return word;
    }),
  );
  item.append(line);
  const shown = (found.rows[s] ?? []).filter((row) => isListed({ ...row, s }));
  if (!found.rows[s]) item.append(make('p', 'ctx-note', t('not_answered_yet')));
  item.append(...shown.map((row) => rowOf(sentence, row)));
  return item;
};

const rowOf = (sentence, row) => {
  const pair = make('div', 'ctx-pair');
  const ofWord = row.position !== null;
  const word = make('b', 'ctx-pair-word', ofWord ? sentence.pieces[2 * row.position + 1] : '');
  word.lang = sourceTag(found.pair);
  word.hidden = !ofWord;
  const cells = pairOf(row.answers, namesOf());
  if (!ofWord) {
    pair.classList.add('ctx-pair-texts');
    cells.forEach((cell, i) => cell.append(...endOf(row.answers[i])));
  }
  pair.append(word, ...cells);
  if (row.label) pair.append(labelOf(row.label));
  markLanguages(pair, found.pair);
  return pair;
};

const touch = (pressed) => {
  const { key } = pressed.dataset;
  if (!found.opened.delete(key)) found.opened.add(key);
  paintFound();
  one(`[data-key="${key}"]`).focus();
};
