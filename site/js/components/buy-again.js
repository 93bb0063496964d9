import { fillCart } from '../cart.js';
import { button, element } from '../elements.js';
import { showProblem } from '../notices.js';
import { t } from '../texts.js';
import { siteUrl } from '../urls.js';

/** For a purchase that came to nothing: puts it back into the cart, at today's prices. */
export function buyAgain({ lines }) {
  if (lines.length === 0) return null;
  return element('div', { class: 'actions' }, button(t('buying.again'), () => {
    try {
      fillCart(lines);
      location.assign(siteUrl('cart.html'));
    } catch (error) {
      showProblem(error);
    }
  }, 'primary'));
}
