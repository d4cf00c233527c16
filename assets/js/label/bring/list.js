// All imports, each with what was refused and a way back; and sentences that are nearly the same.

const SHOWN = 20;
const importList = one('.ctx-imports > ol');
const similarBox = one('.ctx-similar');
let imports = [];
let shownImports = SHOWN;

const loadImports = async () => {
  const reply = await ask('imports');
  if (reply.error) return toast(errorText(reply));
  imports = reply.imports;
  paintImports();
  similarBox.open = false;
};

const paintImports = () => {
  importList.replaceChildren(...imports.slice(0, shownImports).map(importRow));
  one('.ctx-imports-none').hidden = imports.length > 0;
  one('[data-do=older]').hidden = imports.length <= shownImports;
  similarBox.hidden = !imports.length;
};

const importRow = (found) => {
  const row = make('li', 'ctx-import');
  row.dataset.import = found.number;
  row.dataset.state = found.state;
  const name = make('p', 'ctx-import-name', found.name);
  if (found.state !== 'whole') name.append(' ', make('span', 'ctx-state', t('state_' + found.state)));
  const when = new Date(found.when).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' });
  const lines = t(found.lines === 1 ? 'n_lines_one' : 'n_lines', { n: count(found.lines) });
  const about = [pairName(found.pair), when, found.who, found.origin, t('form_' + found.format), found.state !== 'running' && lines];
  row.append(name, make('p', 'ctx-note', about.filter(Boolean).join(' · ')));
  if (found.state === 'unfinished') row.append(make('p', 'ctx-note', t('state_unfinished_how')));
  row.append(importButtons(found));
  return row;
};

const button = (action, text) => {
  const made = make('button', '', text);
  made.type = 'button';
  made.dataset.do = action;
  return made;
};

// Lines of an import that can be looked at, by what the desk calls them.
const LISTED = {
  refused: {
    n: (found) => found.refused,
    text: (n) => t('refused_n', { n: count(n) }),
    reasons: (found) => found.reasons.map(reasonLine),
  },
  against: {
    n: (found) => found.against,
    text: (n) => t(n === 1 ? 'sum_against_one' : 'sum_against', { n: count(n) }),
    reasons: (found) => found.broken.map(ruleLine),
  },
};

const importButtons = (found) => {
  const bar = make('div', 'ctx-row');
  const alive = found.state === 'whole' || found.state === 'unfinished';
  if (alive && found.lines > found.refused) bar.append(button('review', t('review_these')));
  for (const [kind, { n, text }] of Object.entries(LISTED)) {
    if (!n(found)) continue;
    const open = button('show_lines', text(n(found)));
    open.dataset.lines = kind;
    bar.append(open);
  }
  if (alive) bar.append(button('take_back', t('take_back')));
  return bar;
};

const numberOf = (pressed) => Number(pressed.closest('[data-import]').dataset.import);

// Asks once more on the button itself; a second press within five seconds takes it back.
const takeBack = async (pressed) => {
  if (!pressed.dataset.sure) {
    pressed.dataset.sure = 'yes';
    pressed.textContent = t('take_back_sure');
    setTimeout(() => {
      delete pressed.dataset.sure;
      pressed.textContent = t('take_back');
    }, 5000);
    return;
  }
  pressed.disabled = true;
  const number = numberOf(pressed);
  const reply = await ask('take_back', { number });
  toast(reply.error ? errorText(reply) : t('took_back'));
  if (!reply.error && held.run?.number === number) another();
  loadImports();
};

// A page of lines, below the import; the button closes them again.
const showLines = async (pressed) => {
  const kind = pressed.dataset.lines;
  const row = pressed.closest('[data-import]');
  const open = row.querySelector(`.ctx-refused-box[data-lines="${kind}"]`);
  const found = imports.find((one) => one.number === numberOf(pressed));
  const listed = LISTED[kind];
  pressed.textContent = open ? listed.text(listed.n(found)) : t('hide');
  pressed.setAttribute('aria-expanded', String(!open));
  if (open) return open.remove();
  const box = make('div', 'ctx-refused-box');
  box.dataset.lines = kind;
  const reasons = make('ul', 'ctx-reasons');
  reasons.append(...listed.reasons(found));
  const more = button('more_lines', t('refused_more'));
  Object.assign(more.dataset, { lines: kind, after: 0, part: 0 });
  box.append(reasons, make('ol', 'ctx-refused'), more);
  row.append(box);
  await moreLines(more);
};

const moreLines = async (pressed) => {
  const { lines, after, part } = pressed.dataset;
  const reply = await ask(lines, { number: numberOf(pressed), after: Number(after), part: Number(part) });
  if (reply.error) return toast(errorText(reply));
  pressed.parentElement.querySelector('ol').append(...reply.lines.map(refusedLine));
  pressed.hidden = !reply.more;
  const last = reply.lines.at(-1);
  if (last) Object.assign(pressed.dataset, { after: last.number, part: last.part });
};

const showSimilar = async () => {
  const reply = await ask('similar');
  if (reply.error) return toast(errorText(reply));
  const groups = reply.groups.map((sentences) => {
    const item = make('li', '');
    item.append(...sentences.map((text) => {
      const line = make('p', 'ctx-good-text', text);
      line.lang = sourceTag();
      return line;
    }));
    return item;
  });
  similarBox.querySelector('ol').replaceChildren(...groups);
  const end = groups.length ? (reply.more ? t('similar_first', { n: groups.length }) : '') : t('similar_none');
  one('.ctx-similar-end').textContent = end;
};

similarBox.addEventListener('toggle', () => similarBox.open && showSimilar());
