// The import at work: begun, watched, stopped. It is the app's, not the page's: a page that was
// closed finds it again.

const timeText = (seconds) =>
  seconds < 90 ? t('seconds_n', { n: Math.round(seconds) }) : t('minutes_n', { n: Math.round(seconds / 60) });

const startImport = async () => {
  const { elements } = saidForm;
  const alert = saidForm.querySelector('[role=alert]');
  if (held.preview.rows && !elements.answers.value.trim()) {
    alert.textContent = t('error_no_answerer');
    return elements.answers.focus();
  }
  const submit = saidForm.querySelector('[type=submit]');
  submit.disabled = true;
  const reply = await ask('bring', {
    look: held.look,
    name: held.name,
    words: limit(),
    origin: elements.origin.value.trim(),
    answers: elements.answers.value.trim(),
    people: elements.by.value === 'people',
  });
  submit.disabled = false;
  if (reply.error) {
    alert.textContent = errorText(reply);
    return;
  }
  field.value = '';
  remember('import', String(reply.run.number));
  follow(reply.run);
  loadImports();
};

const showRun = (run) => {
  held.run = run;
  const part = run.lines / (run.total || 1);
  const far = [
    t('lines_of', { n: count(run.lines), total: count(Math.max(run.total, run.lines)) }),
    t('run_counts', { queries: count(run.queries), refused: count(run.refused), time: timeText(run.seconds) }),
  ];
  if (run.state === 'running' && run.seconds > 5 && part > 0.02 && part < 1) {
    far.push(t('run_left', { time: timeText((run.seconds / part) * (1 - part)) }));
  }
  if (run.state === 'settling') {
    const text = run.due ? t('settling_of', { n: count(run.ready), total: count(run.due) }) : '';
    return showWait(t('settling'), run.ready / (run.due || 1), text);
  }
  showWait(t('bringing', { name: run.name }), part, far.join(' · '));
};

// Asks how far it is until it is over. A server that does not answer is asked again.
const follow = async (run) => {
  const halt = one('[data-do=stop]');
  halt.disabled = false;
  held.stop = async () => {
    halt.disabled = true;
    halt.textContent = t('stopping');
    await ask('halt', { number: run.number });
  };
  while (run.state === 'running' || run.state === 'settling') {
    showRun(run);
    if (run.state === 'settling') halt.disabled = true;
    await pause(700);
    const reply = await ask('progress');
    if (reply.run && reply.run.number !== run.number) break;
    if (reply.error && reply.error !== 'offline') return showTrouble(reply);
    if (!reply.error && !reply.run) break; // the server was started anew
    run = reply.run ?? run;
  }
  halt.disabled = false;
  held.stop = null;
  if (run.state === 'running') showTrouble({});
  else showDone(run);
  loadImports();
};

const sum = (key, n) => make('li', '', t(n === 1 ? key + '_one' : key, { n: count(n) }));

const showDone = (run) => {
  held.run = run;
  const section = one('.ctx-bring-done');
  section.querySelector('h2').textContent = t('run_' + run.state, { name: run.name });
  const nothing = run.known > 0 && !run.queries && !run.labels;
  const sums = [sum('sum_queries', run.queries)];
  if (run.known) sums.push(make('li', '', t('sum_known', { n: count(run.known) })));
  if (run.labels) sums.push(sum('sum_labels', run.labels));
  if (run.refused) sums.push(make('li', '', t('sum_refused', { n: count(run.refused) })));
  if (run.against) sums.push(sum('sum_against', run.against));
  if (run.similar) sums.push(sum('sum_similar', run.similar));
  section.querySelector('.ctx-sums').replaceChildren(...sums);
  const notes = [
    run.failure && errorText(run.failure),
    run.state !== 'whole' && t('run_again'),
    nothing && t('nothing_new'),
  ];
  one('.ctx-sum-broken').textContent = run.broken.map(([rule, n]) => `${t('times_n', { n: count(n) })} ${ruleText(rule)}`).join(' ');
  one('.ctx-sum-notes').textContent = notes.filter(Boolean).join(' ');
  section.querySelector('[data-do=review_run]').hidden = !(run.queries + run.known);
  setState('done');
};

// When the view is shown: the import at work, or the end of the one that this browser began.
let attaching = false;
const attach = async () => {
  if (attaching) return;
  attaching = true;
  const { run } = await ask('progress');
  attaching = false;
  if (!run || root.dataset.state !== 'text') return;
  if (run.state === 'running' || run.state === 'settling') follow(run);
  else if (recall('import') === String(run.number)) showDone(run);
};

const review = (number) =>
  window.dispatchEvent(new CustomEvent('ctx-review', { detail: { filter: { import: number } } }));
