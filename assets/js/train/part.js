// What all training views share: the names of a recipe's fields, a run's state in words.

const fieldName = (name) => t('recipe_' + name) || name.replaceAll('_', ' ');

const isWorking = (run) => ['queued', 'running', 'paused'].includes(run.state);

// A paused job still holds the wish to pause: that one is fulfilled.
const isAsked = (run) => Boolean(run.asked) && !(run.state === 'paused' && run.asked === 'pause');

const ASKED = { pause: 'run_pausing', resume: 'run_resuming', stop: 'run_stopping', cancel: 'run_cancelling' };

const shortState = (run) => {
  if (run.state === 'queued') return t('job_queued', { n: run.place });
  if (isAsked(run)) return t(ASKED[run.asked]);
  return t('job_' + run.state);
};
