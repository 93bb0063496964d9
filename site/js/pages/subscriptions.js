import { listSubscriptions } from '../api.js';
import { nameOf, planOf, portalButton, subscriptionBadge, whatIsNext } from '../components/subscription.js';
import { element, linkButton, panel } from '../elements.js';
import { signedInAs } from '../identity.js';
import { content, fill, signInFirst, startPage } from '../page.js';
import { t } from '../texts.js';

startPage(async () => {
  if (!signedInAs()) {
    content().replaceChildren(signInFirst(t('subscriptions.sign_in'), t('subscriptions.only_you')));
    return;
  }
  await fill(content(), listSubscriptions, subscriptions, { waiting: [skeleton()] });
});

function subscriptions(all) {
  if (all.length === 0) {
    return [panel({
      title: t('subscriptions.none'),
      text: t('subscriptions.will_be'),
      actions: [linkButton(t('products.see'), 'index.html')],
    })];
  }
  return [
    element('ul', { class: 'rows', role: 'list' }, ...all.map(subscriptionRow)),
    element('p', { class: 'portal' }, t('subscriptions.portal')),
    element('div', { class: 'actions' }, portalButton()),
  ];
}

function subscriptionRow(subscription) {
  const plan = planOf(subscription);
  return element('li', {},
    element('a', { class: 'row', href: `subscription.html?id=${encodeURIComponent(subscription.id)}` },
      element('span', { class: 'row-main' },
        element('span', { class: 'line-name' }, nameOf(subscription)),
        plan ? element('span', { class: 'line-detail' }, plan) : null,
        element('span', { class: 'line-detail' }, whatIsNext(subscription) ?? '')),
      subscriptionBadge(subscription)));
}

function skeleton() {
  const row = () => element('div', { class: 'row skeleton' });
  return element('div', { class: 'rows', 'aria-hidden': 'true' }, row(), row());
}
