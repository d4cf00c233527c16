// The masthead: tabs, language, light or dark. Other page parts hear of a new language by the event
// ctx-language, and of another tab or view by ctx-view. The address says which: #label/queue, and in
// some views also which item: #train/run/7.

const showLanguage = () => {
  document.documentElement.lang = language;
  fillTexts();
  element.querySelectorAll('[data-language]').forEach((button) => {
    button.setAttribute('aria-pressed', String(button.dataset.language === language));
  });
};

const setTheme = (dark) => document.body.classList.toggle('dark', dark);

const VIEWS = {
  label: ['queue', 'table', 'bring', 'teacher', 'data'],
  train: ['new', 'scratch', 'quantise', 'runs', 'run'],
  compare: ['side', 'split', 'vote', 'board'],
  models: ['list', 'history', 'card'],
};

const showView = () => {
  const [name, wanted, ...items] = location.hash.slice(1).split('/');
  const item = items.join('/');
  const tab = name in VIEWS ? name : 'read';
  const views = VIEWS[tab] ?? [''];
  const view = views.includes(wanted) ? wanted : views[0];
  Object.assign(document.body.dataset, { tab, view, item });
  element.querySelectorAll('[data-tab]').forEach((button) => {
    button.setAttribute('aria-current', button.dataset.tab === tab ? 'page' : 'false');
  });
  window.dispatchEvent(new CustomEvent('ctx-view'));
};

const openTab = (tab) => {
  if (tab === document.body.dataset.tab) return;
  const last = VIEWS[tab] && recall('view.' + tab);
  const hash = VIEWS[tab] ? `#${tab}/${last ?? VIEWS[tab][0]}` : ' ';
  history.pushState(null, '', hash === ' ' ? location.pathname + location.search : hash);
  showView();
};

element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button?.dataset.tab) {
    openTab(button.dataset.tab);
  } else if (button?.dataset.language) {
    language = button.dataset.language;
    remember('language', language);
    showLanguage();
    window.dispatchEvent(new CustomEvent('ctx-language'));
  } else if (button) {
    const dark = !document.body.classList.contains('dark');
    setTheme(dark);
    remember('theme', dark ? 'dark' : 'light');
  }
});

if (recall('theme')) setTheme(recall('theme') === 'dark');
showLanguage();
window.addEventListener('hashchange', showView);
window.addEventListener('popstate', showView);
showView();
