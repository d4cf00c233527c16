// What is asked of the desk: the next query, a decision, taking it back, the model's answer.

const filter = makeFilter(one('.ctx-filter form'), () => next());
const isFiltered = () => filter.isSet();
const why = makeWhy(one('.ctx-flag-why'), toast, () => keyOf('why'));

const showReply = (reply) => {
  if (reply.error) return showTrouble(reply);
  if (reply.left !== undefined) held.left = reply.left;
  if (reply.waits) Object.assign(held, { waits: reply.waits, today: reply.today ?? 0 });
  showLeft();
  if (reply.item) showItem(reply.item);
  else showEmpty('queue_done');
};

const showTrouble = (reply) => {
  if (held.item) toast(errorText(reply));
  else {
    showEmpty('queue_trouble');
    one('.ctx-empty p').textContent = errorText(reply);
  }
};

const alone = async (act) => {
  if (held.busy) return;
  held.busy = true;
  try {
    await act();
  } finally {
    held.busy = false;
    const { again } = held;
    held.again = null;
    again?.();
  }
};

// Another filter or name while something is under way: asked as soon as that is over.
const next = () => {
  if (held.busy) {
    held.again = next;
    return;
  }
  alone(async () => {
    if (props.limits.hosted) return showEmpty('queue_hosted');
    if (!person()) return showEmpty('queue_no_name');
    showReply(await ask('next', { filter: filter.read(), since: dayBegan() }));
  });
};

const openItem = (id) =>
  alone(async () => {
    if (!person()) return showEmpty('queue_no_name');
    showReply(await ask('open', { id, since: dayBegan() }));
  });

// An evaluation's row; the address is the queue's own again once its query is open. A click on a link
// tells of its address twice (popstate, hashchange): the row is asked for once.
let asked = '';
const openRow = (row) => {
  const mine = `${row} ${workPair()} ${person()}`;
  if (held.busy) {
    if (mine !== asked) held.again = () => openRow(row);
    return;
  }
  asked = mine;
  alone(async () => {
    if (!person()) return showEmpty('queue_no_name');
    const [evaluation, number] = row;
    const reply = await ask('open_row', { evaluation, row: number, since: dayBegan() });
    showReply(reply); // first: whoever hears of the new address finds the query open
    if (reply.item) location.replace('#label/queue');
    asked = '';
  });
};

const newToken = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

// Sent again with the same token where the way there failed: never decided twice.
const send = async (question) => {
  for (const pause of [0, 500, 2000]) {
    await new Promise((done) => setTimeout(done, pause));
    const reply = await ask('decide', question);
    if (reply.error !== 'offline') return reply;
  }
  return { error: 'offline' };
};

const decide = (kind) =>
  alone(async () => {
    const { item, fields, anyway } = held;
    if (!item) return;
    if (kind === 'save' && !fields.class) return toast(t('error_no_class'));
    const also = kind === 'save' && alsoField.checked ? alsoIds() : [];
    why.keep();
    form.inert = true; // what is typed now would land in the next query
    const reply = await send({
      kind, id: item.id, seen: item.seen, ...fields, also, anyway, token: newToken(), filter: filter.read(), since: dayBegan(),
    });
    form.inert = false;
    if (reply.rules) {
      held.anyway = true;
      return showBroken(reply.rules);
    }
    if (reply.error === 'changed') return meetOther(item);
    if (reply.error) return toast(errorText(reply));
    if (kind === 'save' || kind === 'reject') dropDraft(item.id);
    if (form.contains(document.activeElement)) document.activeElement.blur(); // keys are commands again
    say('did_' + reply.decided);
    if (reply.decided === 'flag') why.offer(reply.decision, item.pieces[2 * item.position + 1]);
    showReply(reply);
  });

// Somebody else decided meanwhile: what they said is shown, what is in the form stays.
const meetOther = async (item) => {
  const { fields } = held;
  const reply = await ask('open', { id: item.id });
  if (reply.error) return toast(errorText(reply));
  showItem(reply.item);
  change(fields);
  toast(t('error_changed'));
};

const undo = () =>
  alone(async () => {
    why.close();
    const reply = await ask('undo', { since: dayBegan() });
    if (reply.error) return toast(errorText(reply));
    showReply(reply);
    const what = t('did_' + reply.kind);
    toast(reply.count > 1 ? t('undid_many', { what, n: reply.count }) : t('undid', { what }));
  });

// No answer is there yet: the model that readers have gives one, unless the person was faster.
const propose = async (item) => {
  one('.ctx-left').textContent = t('looking_up');
  const reply = await ask('propose', { id: item.id });
  showLeft();
  if (held.item !== item || !reply.proposal) return;
  item.answers.push(reply.proposal);
  if (held.fields.meaning) paintAnswers();
  else change(copyOf(reply.proposal));
};

const say = (key) => {
  one('.ctx-said').textContent = t(key);
};
