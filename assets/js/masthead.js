// The masthead's two choices. Other page parts hear of a new language by the event ctx-language.

const showLanguage = () => {
  document.documentElement.lang = language;
  fillTexts();
  element.querySelectorAll('[data-language]').forEach((button) => {
    button.setAttribute('aria-pressed', String(button.dataset.language === language));
  });
};

const setTheme = (dark) => document.body.classList.toggle('dark', dark);

element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button?.dataset.language) {
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
