// Loads and paints when the view is shown; wires clicks to actions.

const plots = one('.ctx-plots');
const states = one('.ctx-states');
let statistics = null;
let agreement = null;

const STATES = ['accepted', 'open', 'conflict', 'flagged', 'rejected'];

const paintStates = () => {
  states.replaceChildren(
    ...STATES.map((state) => {
      const n = statistics.states[state];
      const box = make('div', n ? '' : 'ctx-zero');
      box.dataset.figure = state;
      box.append(make('dd', '', whole(n)), make('dt', '', t('status_' + state)));
      return box;
    }),
  );
};

const paintStatistics = () => {
  if (!statistics) return;
  paintStates();
  const { spread, progress } = statistics;
  const any = spread.class.length > 0;
  one('.ctx-statistics > .ctx-none').hidden = any;
  const found = [];
  if (any) {
    found.push(
      barsPlot('class', t('plot_classes'), [...spread.class].sort(([, a], [, b]) => b - a).map(([name, n]) => [className(name), n])),
      partsPlot('phrase', t('plot_phrases'), spread.phrase.map(([kind, n]) => [kind, t('phrases_' + kind), n])),
      columnsPlot('length', t('plot_lengths'), spread.length.map(lengthColumn)),
      barsPlot('source', t('plot_sources'), spread.source.map(([name, n]) => [name || t('no_source'), n])),
    );
  }
  if (agreement) found.push(agreementPlot(agreement));
  found.push(progressPlot(progress));
  plots.replaceChildren(...found);
};

// The store counts gaps between words, in steps of five.
const lengthColumn = ([gaps, n]) => {
  const range = `${gaps + 1}–${gaps + 5}`;
  return [range, n, `${t('words_range', { range })}: ${whole(n)}`];
};

const load = async () => {
  loadSets();
  filter.askPeople();
  const far = one('.ctx-settling');
  const [counts, agreed] = await Promise.all([
    askReady('statistics', {}, (text) => {
      far.textContent = text;
    }),
    ask('agreement'),
  ]);
  far.textContent = '';
  if (counts.preparing) return;
  if (counts.error) return toast(errorText(counts));
  statistics = counts;
  agreement = agreed.fields ?? null;
  root.dataset.state = 'shown';
  paintStatistics();
};

const backup = async (pressed) => {
  const line = one('.ctx-backup-told');
  pressed.disabled = true;
  line.textContent = t('at_work');
  const reply = await finish(await ask('backup'), () => {});
  pressed.disabled = false;
  if (reply.error) {
    line.textContent = errorText(reply);
    return;
  }
  fetchFile(reply.file);
  line.textContent = t('backed_up', { size: sizeText(reply.bytes) });
};

const ACTIONS = {
  begin: () => (freezeBox.hidden ? beginFreeze() : cancelFreeze()),
  cancel: cancelFreeze,
  freeze: () => freeze(),
  without: () => freeze(true),
  backup,
  export: exportSet,
  copy_hash: copyHash,
};

root.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button?.dataset.open) {
    window.dispatchEvent(new CustomEvent('ctx-review', { detail: { id: Number(button.dataset.open) } }));
  } else if (button?.dataset.do) ACTIONS[button.dataset.do](button);
});

const showTexts = () => {
  fillTexts();
  filter.showTexts();
  paintCount();
  showRefusal(refused);
  paintSets();
  paintStatistics();
};

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  showTexts();
});

showTexts();
if (props.limits.hosted) root.dataset.state = 'closed';
whenShown('data', () => {
  if (!props.limits.hosted) load();
});
