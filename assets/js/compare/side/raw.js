// What the two models write to the shown words when nothing holds them, and how often they stop; how
// a translation came to its end.

let raw = null; // {rows, texts}: what was asked, and for each both texts

const rawRows = () => listed().slice(0, props.limits.raw);

const paintRawButton = () => {
  const n = rawRows().length;
  const ask = one('[data-do=raw]');
  ask.textContent = n === 1 ? t('do_raw_one') : t('do_raw', { n });
  ask.disabled = !n || root.dataset.busy === 'true';
};

const forgetRaw = () => {
  raw = null;
  one('.ctx-raw-rows').replaceChildren();
  one('.ctx-raw-told').hidden = true;
  one('.ctx-raw [role=status]').textContent = '';
};

const askRaw = async () => {
  const rows = rawRows();
  const mine = asked;
  const status = one('.ctx-raw [role=status]');
  setBusy(true);
  status.textContent = t('raw_writing');
  const queries = rows.map(({ s, position }) => ({ context: found.sentences[s].context, position }));
  const reply = await finish(await ask('raw', { left: found.left.name, right: found.right.name, pair: found.pair, queries }));
  setBusy(false);
  if (mine !== asked) return;
  status.textContent = '';
  if (reply.error) return toast(errorWithDetail(reply));
  raw = { rows, texts: reply.raw };
  paintRaw();
};

const paintRaw = () => {
  if (!raw) return;
  const told = one('.ctx-raw-told');
  told.hidden = false;
  told.replaceChildren(...[0, 1].map(toldOf));
  one('.ctx-raw-rows').replaceChildren(
    ...raw.rows.map((row, i) => {
      const item = make('li', 'ctx-pair');
      const word = make('b', 'ctx-pair-word', found.sentences[row.s].pieces[2 * row.position + 1]);
      word.lang = sourceTag(found.pair);
      item.append(word, ...raw.texts[i].map((text, side) => textOf(text, side)));
      return item;
    }),
  );
};

// How often one of the two stopped by itself, and how much it wrote.
const toldOf = (side) => {
  const texts = raw.texts.map((both) => both[side]);
  const stopped = texts.filter((text) => text.ended).length;
  const mean = texts.reduce((sum, text) => sum + text.tokens, 0) / texts.length;
  const line = make('div', '');
  line.dataset.side = ['left', 'right'][side];
  line.append(make('dt', '', namesOf()[side]), make('dd', '', t('raw_stopped', { n: stopped, of: texts.length, mean: shortText(Math.round(mean)) })));
  return line;
};

// The answer, the place where it should have stopped, and what stands behind that.
const textOf = (text, side) => {
  const cell = make('div', 'ctx-raw-text');
  cell.dataset.side = ['left', 'right'][side];
  cell.dataset.name = namesOf()[side];
  const written = make('p', 'ctx-raw-written');
  if (text.answer) written.append(make('span', 'ctx-raw-answer', text.answer.trimStart()));
  if (text.ended) {
    written.append(stopOf('raw_stop'));
  } else {
    if (text.answer) written.append(stopOf('raw_should_stop'));
    written.append(make('span', 'ctx-raw-rest', text.rest.replaceAll('\n', '↵\u200b')));
  }
  const count = { n: text.tokens, over: text.over };
  const flaw = text.answer && !text.valid ? ` · ${t('raw_invalid')}` : '';
  const key = text.ended ? 'raw_ended' : text.answer ? 'raw_over' : 'raw_no_answer';
  cell.append(written, make('p', 'ctx-note', t(key, count) + flaw));
  return cell;
};

// What was written behind a translation, and how many tokens it took.
const endOf = ({ tokens, over, ended, rest }) => {
  if (!tokens) return [make('p', 'ctx-note', t('text_no_room'))];
  const note = make('p', 'ctx-note', t(ended ? 'raw_ended' : over ? 'text_over' : 'text_no_end', { n: tokens, over }));
  if (!rest) return [note];
  const behind = make('p', 'ctx-raw-written');
  behind.append(stopOf('raw_should_stop'), make('span', 'ctx-raw-rest', rest.replaceAll('\n', '↵\u200b')));
  return [behind, note];
};

const stopOf = (key) => {
  const mark = make('span', 'ctx-stop', '⏎');
  mark.setAttribute('role', 'img');
  mark.setAttribute('aria-label', t(key));
  mark.title = t(key);
  return mark;
};
