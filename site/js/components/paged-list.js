import { button, element } from '../elements.js';
import { showProblem } from '../notices.js';
import { t } from '../texts.js';

/**
 * A list that grows by *Load more* as long as the API names a next page.
 *
 *   first  the first page, `{ items, next }`
 *   more   fetches the page at a cursor
 *   row    builds the `<li>` of one item
 */
export function pagedList({ className, first, more, row }) {
  const list = element('ul', { class: className, role: 'list' }, ...first.items.map(row));
  const loadMore = button(t('page.load_more'), () => grow());
  loadMore.classList.add('load-more');
  let next = first.next;
  loadMore.hidden = !next;

  async function grow() {
    loadMore.disabled = true;
    loadMore.setAttribute('aria-busy', 'true');
    try {
      const page = await more(next);
      const rows = page.items.map(row);
      list.append(...rows);
      next = page.next;
      loadMore.hidden = !next;
      focusOn(rows[0]);
    } catch (error) {
      showProblem(error, { actions: [button(t('page.try_again'), grow)] });
    } finally {
      loadMore.disabled = false;
      loadMore.removeAttribute('aria-busy');
    }
  }

  return [list, loadMore];
}

/** Keyboard and screen reader users carry on where the new part begins. */
function focusOn(row) {
  if (!row) return;
  row.tabIndex = -1;
  row.focus({ preventScroll: true });
}
