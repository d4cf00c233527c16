// The rows of an evaluation, a page at a time: filtered, the worst regressions or best gains first.

const orderField = one('.ctx-order');
const paging = { shown: 'differ', order: 'worst', page: 0, count: 0, rows: [] };
let rowTurn = 0;

const loadRows = async () => {
  const mine = ++rowTurn;
  const { id, left, right } = chosen;
  const { shown, order, page } = paging;
  const reply = await ask('rows', { id, left, right, shown, order, page });
  if (mine !== rowTurn) return;
  if (reply.error) return toast(errorText(reply));
  Object.assign(paging, { count: reply.count, rows: reply.rows });
  paintRows();
};

const paintRows = () => {
  const { result, left, right } = chosen;
  const names = [result.models[left], result.models[right]].map(modelName);
  paintShow(one('.ctx-split-rows .ctx-show'), chosen.counts, paging.shown);
  fill(orderField, props.choices.orders, (name) => t('order_' + name), paging.order);
  names.forEach((name, i) => {
    one(`.ctx-split-rows [data-name=${['left', 'right'][i]}]`).textContent = name;
  });
  one('.ctx-split-rows .ctx-sentences').replaceChildren(...paging.rows.map((row) => rowOf(row, names)));
  one('.ctx-split-rows .ctx-none').hidden = paging.rows.length > 0;
  const pages = Math.ceil(paging.count / props.limits.page);
  one('.ctx-pages').hidden = pages < 2;
  one('.ctx-pages [role=status]').textContent = t('rows_page', { n: whole(paging.page + 1), total: whole(pages), rows: whole(paging.count) });
  const [back, on] = ['back', 'on'].map((name) => one(`[data-do=page_${name}]`));
  const set = () => {
    back.disabled = paging.page === 0;
    on.disabled = paging.page >= pages - 1;
  };
  keepFocusIn(one('.ctx-pages'), set, () => [back, on]);
};

const rowOf = (row, names) => {
  const item = make('li', 'ctx-sentence');
  item.dataset.number = row.number;
  const line = make('p', 'ctx-side-line');
  line.lang = sourceTag(chosen.evaluation.pair);
  const members = row.reference.members ?? [];
  line.append(...lineOf(row.pieces, row.position === null ? (text) => document.createTextNode(text) : wordAt(row.position, members)));
  const pair = make('div', 'ctx-pair');
  const word = make('b', 'ctx-pair-word', row.position === null ? '' : row.pieces[2 * row.position + 1]);
  word.lang = sourceTag(chosen.evaluation.pair);
  word.hidden = row.position === null;
  pair.append(word, ...pairOf(row.answers, names));
  const label = labelOf(row.reference);
  if (row.position !== null) label.append(' ', reviewLink(row));
  pair.append(label);
  if (row.position === null) pair.classList.add('ctx-pair-texts');
  markLanguages(pair, chosen.evaluation.pair);
  item.append(line, pair);
  return item;
};

// To the word's place in the review queue; it is brought in there if it is not in the store.
const reviewLink = (row) => {
  const link = make('a', 'ctx-link', t('review_it'));
  link.href = `#label/item/${chosen.id}/${row.number}`;
  return link;
};

const turnPage = (by) => {
  paging.page += by;
  loadRows();
  one('.ctx-split-rows').scrollIntoView({ block: 'start' });
};

const showRows = (changes) => {
  Object.assign(paging, changes, { page: 0 });
  loadRows();
};
