import { getPurchase } from '../api.js';
import { formatBytes } from '../bytes.js';
import { element, linkButton } from '../elements.js';
import { announce, clearNotices, showProblem } from '../notices.js';
import { t } from '../texts.js';
import { secureUrl } from '../urls.js';

/** A link works for some minutes, by the shop's clock: after this many of the visitor's, another is fetched. */
const FRESH_MS = 5 * 60_000;

/** The files of a purchase that its buyer may download, or null if there are none. */
export function downloads({ id, downloads: files = [] }) {
  if (files.length === 0) return null;
  return element('section', { class: 'downloads', 'aria-labelledby': 'downloads' },
    element('h2', { id: 'downloads' }, t('downloads.heading')),
    element('ul', { role: 'list' }, ...files.map((file) => element('li', {},
      element('span', {},
        element('span', { class: 'line-name' }, file.name),
        file.size ? element('span', { class: 'line-detail' }, formatBytes(file.size)) : null),
      downloadLink(id, file)))));
}

function downloadLink(id, file) {
  let received = Date.now();
  const link = linkButton(t('downloads.get'), file.url);
  link.setAttribute('aria-label', t('downloads.get_name', { name: file.name }));
  link.addEventListener('click', async (event) => {
    if (Date.now() - received < FRESH_MS) return;
    event.preventDefault();
    if (link.hasAttribute('aria-busy')) return;
    link.setAttribute('aria-busy', 'true');
    try {
      const { downloads: now = [] } = await getPurchase(id);
      const found = now.find(({ product_id: product, name }) => product === file.product_id && name === file.name);
      const page = secureUrl(found?.url);
      if (page) {
        received = Date.now();
        link.href = page.href;
        clearNotices();
        location.assign(page);
      } else {
        announce(t('downloads.gone'));
      }
    } catch (error) {
      showProblem(error);
    } finally {
      link.removeAttribute('aria-busy');
    }
  });
  return link;
}
