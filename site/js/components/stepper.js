import { MOST_OF_ONE } from '../cart.js';
import { element } from '../elements.js';
import { t } from '../texts.js';

/**
 * Chooses a quantity from 1 to `most`: two buttons around a field to type in.
 * Returns `{ node, value() }`; `onchange` is called with each new quantity.
 */
export function stepper({ label, quantity = 1, most = MOST_OF_ONE, onchange = () => {} }) {
  const allowed = (wanted) => Math.min(Math.max(Math.trunc(wanted) || 1, 1), most);
  const field = element('input', {
    type: 'number', inputmode: 'numeric', min: 1, max: most, step: 1, value: allowed(quantity),
    'aria-label': label,
    onchange: () => choose(value()),
  });
  const fewer = stepButton('−', t('buying.fewer'), () => choose(value() - 1));
  const more = stepButton('+', t('buying.more'), () => choose(value() + 1));

  function value() {
    return allowed(field.valueAsNumber);
  }

  function choose(wanted) {
    field.value = allowed(wanted);
    showLimits();
    onchange(value());
  }

  function showLimits() {
    fewer.disabled = value() <= 1;
    more.disabled = value() >= most;
  }

  showLimits();
  return { node: element('div', { class: 'stepper', role: 'group', 'aria-label': label }, fewer, field, more), value };
}

function stepButton(sign, label, onclick) {
  return element('button', { type: 'button', 'aria-label': label, onclick }, sign);
}
