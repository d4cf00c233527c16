// What a run has told so far: steps, evaluations, their errors, marks, plan and result, and of a
// distillation what its student is made of. A run that was killed goes on
// from its checkpoint and takes some steps again: then the second time counts.

const newHistory = () => ({ steps: [], devs: [], marks: [], errors: [], made: {}, leftOut: null, plan: null, result: null, scoring: null });

const MADE = ['taught', 'layers', 'student'];
const MARKS = ['rollback', 'given_up', 'resumed', 'stopped', 'early'];

const addEvent = (history, event) => {
  const upTo = (list) => list.filter((one) => one.step <= event.step);
  if (event.event === 'resumed') {
    history.steps = upTo(history.steps);
    history.devs = upTo(history.devs);
    history.errors = upTo(history.errors);
  }
  if (event.event !== 'scoring' && event.event !== 'scores') history.scoring = null;
  if (event.event === 'step') history.steps.push(event);
  else if (event.event === 'dev') history.devs.push(event);
  else if (event.event === 'errors') history.errors.push(event);
  else if (MADE.includes(event.event)) history.made[event.event] = event;
  else if (event.event === 'left_out') history.leftOut = event;
  else if (MARKS.includes(event.event)) history.marks.push(event);
  else if (event.event === 'plan') history.plan = event;
  else if (event.event === 'result') history.result = event;
  else if (event.event === 'scoring') history.scoring = event;
};

const bestOf = (history) => history.devs.findLast((one) => one.best) ?? null;

const curveOf = (events, name) =>
  events.filter((one) => typeof one[name] === 'number').map((one) => [one.step, one[name]]);

const markText = (mark) => t('mark_' + mark.event, { to: mark.to_step === undefined ? '' : whole(mark.to_step) });
