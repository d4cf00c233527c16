// The head of a run's page: what it is, its state in plain words, how far, what can be asked of it.

let run = null;
let told = newHistory();
let noteIsTyped = false;

const ACTIONS_OF = {
  queued: ['cancel'],
  running: ['pause', 'stop', 'cancel'],
  paused: ['resume', 'stop', 'cancel'],
  stopped: ['resume', 'remove'],
  interrupted: ['resume', 'remove'],
  failed: ['resume', 'remove'],
  done: ['remove'],
  cancelled: ['remove'],
};

const lastStep = () => told.steps.at(-1);

const stateText = () => {
  if (isAsked(run)) return t(ASKED[run.asked]);
  if (run.state === 'queued') return t('run_is_queued', { n: run.place });
  if (run.state === 'running') return runningText();
  if (run.state === 'stopped' && !run.started) return t('run_is_stopped_unstarted');
  const best = bestOf(told);
  if (run.state === 'done' && best && run.keep === 'best') return t('run_is_done_best', { n: whole(best.step) });
  return t(`run_is_${run.state}_${run.kind}`) || t('run_is_' + run.state);
};

// A run that makes forms is at one of them, or has them take turns.
const formText = ({ form, rows, of_rows: of, timing }) => {
  if (timing) return t('run_is_timing');
  if (!form) return t('run_is_ready');
  const at = t('run_is_at_form', { n: whole(run.done + 1), total: whole(run.total ?? 0), form });
  return of ? `${at} ${t('run_is_answering', { n: whole(rows), total: whole(of) })}` : at;
};

const runningText = () => {
  if (run.kind === 'quantise') return formText(run.at);
  const { scoring } = told;
  if (scoring) return t('run_is_scoring', { n: whole(scoring.done), total: whole(scoring.of) });
  const step = lastStep();
  if (step && run.kind === 'corpus') {
    return t(step.steps ? 'run_is_reading' : 'run_is_reading_on', { n: whole(step.step), total: whole(step.steps ?? 0) });
  }
  if (run.kind === 'corpus') return t('run_is_looking');
  return step ? t('run_is_training', { n: whole(step.step), total: whole(step.steps) }) : t('run_is_ready');
};

// The share that is done, or null while nothing is known.
const doneShare = () => {
  if (run.state === 'done') return 1;
  if (run.total) return Math.min(1, run.done / run.total);
  const step = lastStep();
  return step?.steps ? step.step / step.steps : null;
};

const leftText = () => {
  if (run.state !== 'running' || told.scoring) return '';
  const left = run.left ?? lastStep()?.left_seconds;
  return typeof left === 'number' ? t('train_left', { time: timeText(left) }) : '';
};

const paintBar = () => {
  const bar = one('.ctx-run-bar');
  const share = doneShare();
  bar.hidden = share === null && !isWorking(run);
  bar.setAttribute('aria-valuenow', String(Math.round(100 * (share ?? 0))));
  bar.setAttribute('aria-label', stateText());
  bar.firstElementChild.style.width = `${100 * (share ?? 0)}%`;
  const parts = [share === null ? '' : `${Math.floor(100 * share)} %`, leftText()];
  const step = lastStep();
  if (step && run.kind === 'corpus') parts.push(t('run_kept', { kept: whole(step.kept), rows: whole(step.step) }));
  if (run.state === 'running') parts.push(t('train_goes_on'));
  one('.ctx-run-far').textContent = parts.filter(Boolean).join(' · ');
};

const paintVerdict = () => {
  const { result } = told;
  const box = one('.ctx-verdict');
  box.hidden = !result || run.state !== 'done';
  if (box.hidden) return;
  box.dataset.fit = String(result.fit);
  box.querySelector('b').textContent = t(result.fit ? 'fit' : 'not_fit');
  const parts = [result.fit ? '' : t('reason_' + result.reason) || result.reason || '', keptText(result.reference)];
  box.querySelector('span').textContent = parts.filter(Boolean).join(' ');
};

const keptText = (reference) => {
  if (typeof reference?.kept !== 'number') return '';
  const name = t('choice_reference_' + reference.reference) || reference.reference;
  const kept = t('kept_of', { kept: percent(reference.kept), name });
  if (typeof reference.score !== 'number') return kept;
  const values = { score: shortText(reference.score), other: shortText(reference.reference_score), n: whole(reference.sentences) };
  return `${kept} ${t('kept_needed', values)}`;
};

const paintTrouble = () => {
  const box = one('.ctx-trouble-told');
  const givenUp = told.marks.some((mark) => mark.event === 'given_up');
  box.hidden = run.state !== 'failed' && !givenUp;
  const [advice, detail] = box.querySelectorAll('p');
  const failed = run.state === 'failed';
  advice.textContent = failed ? t('failed_' + run.error) || t('model_' + run.error) || t('failed_other') : t('given_up_told');
  detail.textContent = failed ? run.detail : '';
};

// Where a run that is done leads: to readers, and beside what they have.
const whatNext = () =>
  Object.entries({ run_use: '#models/list/run:', run_compare: '#compare/split/run:' }).map(([key, address]) => {
    const link = make('a', 'ctx-next', t(key));
    link.href = address + run.id;
    return link;
  });

const paintActions = () => {
  const buttons = ACTIONS_OF[run.state].map((wish) => {
    const made = button(t('run_' + wish), wish, wish === 'cancel' || wish === 'remove' ? 'ctx-quiet' : '');
    made.disabled = isAsked(run) && wish !== 'cancel';
    return made;
  });
  const again = button(t('train_again'), 'again');
  if (!isWorking(run)) buttons.splice(-1, 0, again);
  if (run.state === 'done' && ['train', 'finetune'].includes(run.kind)) buttons.unshift(...whatNext());
  const bar = one('.ctx-run-actions');
  const same = (had) => buttons.filter((one) => one.dataset.do === had.dataset.do);
  keepFocusIn(bar, () => bar.replaceChildren(...buttons), (had) => [...same(had), ...buttons]);
};

let painted = '';
const paintHead = () => {
  const title = one('.ctx-run-head h2');
  root.dataset.kind = run.kind;
  title.textContent = `${t('run_title', { id: run.id })}: ${runName(run)}`;
  const about = [t('run_learns', { dataset: run.dataset }), t('run_made', { when: whenText(run.created) })];
  if (run.kind !== 'train') about.splice(0, 1, t('kind_' + run.kind), run.dataset);
  if (run.who) about.push(t('run_by', { who: run.who }));
  one('.ctx-run-about').textContent = about.join(' · ');
  const state = one('.ctx-run-state');
  if (state.textContent !== stateText()) state.textContent = stateText();
  paintBar();
  paintVerdict();
  paintTrouble();
  const now = JSON.stringify([run.state, run.asked, language]);
  if (now !== painted) paintActions();
  painted = now;
  const note = one('.ctx-run-note textarea');
  note.maxLength = props.limits.note;
  if (!noteIsTyped && document.activeElement !== note) note.value = run.note;
};
