import { MOST_OF_ONE } from '../cart.js';
import { element } from '../elements.js';

/**
 * Chooses a quantity from 1 to 999: two buttons around a field to type in.
 * Answers `{ node, value() }`; `onchange` is told each new quantity.
 */
export function stepper({ label, quantity = 1, onchange = () => {} }) {
  const field = element('input', {
    type: 'number', inputmode: 'numeric', min: 1, max: MOST_OF_ONE, step: 1, value: quantity,
    'aria-label': label,
    onchange: () => choose(value()),
  });
  const fewer = stepButton('−', 'One fewer', () => choose(value() - 1));
  const more = stepButton('+', 'One more', () => choose(value() + 1));

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
    more.disabled = value() >= MOST_OF_ONE;
  }

  showLimits();
  return { node: element('div', { class: 'stepper', role: 'group', 'aria-label': label }, fewer, field, more), value };
}

function allowed(quantity) {
  return Math.min(Math.max(Math.trunc(quantity) || 1, 1), MOST_OF_ONE);
}

function stepButton(sign, label, onclick) {
  return element('button', { type: 'button', 'aria-label': label, onclick }, sign);
}
