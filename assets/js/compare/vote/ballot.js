// The ballot that lies before somebody, and what the votes came to once the names are known.

// `count` ballots of a session, of which `given` were voted on; `busy` while a vote is on its way.
const sitting = { session: '', pair: USUAL_PAIR, count: 0, number: 0, given: 0, ballot: null, told: null, busy: false };

const PLACES = ['first', 'second'];
const CHOICES = ['first', 'second', 'both', 'neither'];

const loadBallot = async () => {
  const { session, number } = sitting;
  const reply = await ask('ballot', { session, number });
  if (session !== sitting.session || number !== sitting.number) return;
  if (reply.error) return lost(reply);
  sitting.ballot = reply;
  paintBallot();
  one('.ctx-ballot-line').focus({ preventScroll: true });
};

// The session is gone: its votes are stored, but it cannot go on.
const lost = (reply) => {
  toast(errorText(reply));
  if (reply.error === 'vote_gone') loadStart();
};

const paintBallot = () => {
  const { ballot, number, count } = sitting;
  if (!ballot) return;
  root.dataset.state = 'ballot';
  one('.ctx-ballot-far').textContent = t('ballot_n', { n: whole(number + 1), total: whole(count) });
  paintBar(one('.ctx-ballot .ctx-bar'), number, count);
  one('.ctx-ballot-line').replaceChildren(...lineOf(ballot.pieces, wordAt(ballot.position, [])));
  const marked = differing(...ballot.answers);
  PLACES.forEach((place, i) => one(`[data-place=${place}] div`).replaceChildren(answerOf(ballot.answers[i], marked)));
  markLanguages(one('.ctx-ballot'), sitting.pair);
  paintChoices();
};

const vote = async (choice) => {
  const { session, number } = sitting;
  if (!sitting.ballot || sitting.busy) return;
  sitting.busy = true;
  const reply = await ask('choose', { session, number, choice });
  sitting.busy = false;
  if (reply.error && reply.error !== 'voted_already') return lost(reply);
  sitting.given += 1;
  if (number + 1 < sitting.count) {
    sitting.number += 1;
    sitting.ballot = null;
    return loadBallot();
  }
  await reveal();
};

const reveal = async () => {
  const reply = await ask('reveal', { session: sitting.session });
  if (reply.error) return lost(reply);
  sitting.told = reply;
  sitting.ballot = null;
  standings = reply.standings;
  paintTold();
  paintStandings();
  one('.ctx-vote-over h2').focus({ preventScroll: true });
};

const share = (rate) => t('rate_interval', { value: percent(rate.value), low: percent(rate.low), high: percent(rate.high) });

// After how many votes the rate means something.
const meansText = (rate) => {
  if (!rate) return t('vote_nobody');
  if (rate.clear) return t('vote_clear');
  return rate.needed === null ? t('vote_draw') : t('vote_needed', { n: whole(rate.needed), decided: whole(rate.decided) });
};

const paintTold = () => {
  const { told } = sitting;
  if (!told) return;
  root.dataset.state = 'over';
  const { counts, rate } = told;
  one('.ctx-vote-over h2').textContent = t('vote_told', { left: modelName(told.left), right: modelName(told.right) });
  one('.ctx-vote-rate').textContent = rate ? t('rate_told', { name: modelName(told.right), wins: whole(counts.right), decided: whole(rate.decided), rate: share(rate) }) : '';
  one('.ctx-vote-means').textContent = meansText(rate);
  const names = { left: modelName(told.left), right: modelName(told.right), both: t('vote_both'), neither: t('vote_neither') };
  one('.ctx-vote-over .ctx-figures').replaceChildren(
    ...Object.entries(names).map(([side, name]) => {
      const box = make('div', '');
      box.append(make('dd', '', whole(counts[side])), make('dt', '', name));
      return box;
    }),
  );
};

let standings = [];

const paintStandings = () => {
  one('.ctx-standings').hidden = !standings.length;
  const heads = ['stand_left', 'stand_right', 'stand_won', 'stand_same', 'stand_rate', 'stand_means'].map((key) => t(key));
  const rows = standings.map(({ left, right, counts, rate }) => {
    const [won, same] = [[counts.left, counts.right].map(whole).join(' : '), [counts.both, counts.neither].map(whole).join(' / ')];
    return [[modelName(left)], modelName(right), won, same, rate ? share(rate) : '–', meansText(rate)];
  });
  one('.ctx-standings .ctx-figure-table').replaceChildren(labelledTable(heads, rows));
};
