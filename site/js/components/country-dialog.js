import { button, element } from '../elements.js';
import { browser } from '../storage.js';
import { locale, t } from '../texts.js';

const COUNTRY = 'country';

/** Asks where something should go; null if the buyer would rather not say now. */
export function askCountry(countries) {
  const names = new Map(countries.map((code) => [code, nameOfCountry(code)]));
  const sorted = [...names].sort(([, one], [, other]) => one.localeCompare(other));
  const likely = [browser.recall(COUNTRY), new Intl.Locale(navigator.language).region].find((code) => names.has(code));
  const select = element('select', { id: 'country', name: 'country', autocomplete: 'shipping country', required: true },
    likely ? null : element('option', { value: '' }, t('country.choose')),
    ...sorted.map(([code, name]) => element('option', { value: code, selected: code === likely }, name)));
  return new Promise((resolve) => {
    const dialog = element('dialog', { class: 'question', 'aria-labelledby': 'question', onclose: () => {
      dialog.remove();
      const country = dialog.returnValue === 'go' ? select.value : null;
      if (country) browser.remember(COUNTRY, country);
      resolve(country);
    } },
      element('form', { method: 'dialog' },
        element('h2', { id: 'question' }, t('country.title')),
        element('p', {}, t('country.why')),
        element('p', { class: 'field' }, element('label', { for: 'country' }, t('country.label')), select),
        element('div', { class: 'actions' },
          element('button', { class: 'button primary', value: 'go' }, t('country.continue')),
          button(t('country.not_now'), () => dialog.close(), 'quiet'))));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** "Germany": a country's name, in the language of this page. */
export function nameOfCountry(code) {
  return new Intl.DisplayNames(locale(), { type: 'region' }).of(code) ?? code;
}
