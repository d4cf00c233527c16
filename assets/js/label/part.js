// What all labelling views share: questions to the app in a person's name, sentences, answers.

const person = () => recall('person') ?? '';
const isShown = () => root.offsetParent !== null;

const ask = async (name, question = {}) => {
  try {
    return (await server[name]({ who: person(), pair: workPair(), ...question })) ?? { error: 'offline' };
  } catch {
    return { error: 'offline' };
  }
};

const className = (name) => t('class_' + name.replace(' ', '_'));

// A sentence with its target and its phrase painted; `tag` is what a word becomes.
const sentenceParts = (pieces, position, members, tag = 'span') =>
  pieces.map((piece, i) => {
    if (!(i % 2)) return document.createTextNode(piece);
    const w = (i - 1) / 2;
    const word = make(tag, 'ctx-word-at', piece);
    word.dataset.w = w;
    if (w === position) word.classList.add('ctx-target');
    if (members.includes(w)) word.classList.add('ctx-in-phrase');
    return word;
  });

const phraseOf = (pieces, members) => members.map((w) => pieces[2 * w + 1]).join(' ');

const givenBy = (by) => {
  const kind = t('source_' + by.source);
  const who = by.who ? `${kind} ${by.who}` : kind;
  return by.status === 'rejected' ? t('rejected_by', { who }) : who;
};

// "how many", short: 10,000 is where counting ends.
const countText = (n) => (n >= 10000 ? '10,000+' : n.toLocaleString(language));

// While the queue is made ready, as after a large import: what is asked again until it is.
const askReady = async (name, question, tellFar) => {
  for (;;) {
    const reply = await ask(name, question);
    if (!reply.preparing || !isShown()) return reply;
    const { done, total } = reply.preparing;
    tellFar(t('settling_of', { n: done.toLocaleString(language), total: total.toLocaleString(language) }));
    await new Promise((again) => setTimeout(again, 700));
  }
};

const whenShown = (view, act) => {
  const check = () => document.body.dataset.tab === 'label' && document.body.dataset.view === view && act();
  window.addEventListener('ctx-view', check);
  window.addEventListener('ctx-person', check);
  window.addEventListener('ctx-pair', check);
  check();
};
