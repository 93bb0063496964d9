import { day, element } from '../elements.js';
import { t } from '../texts.js';
import { nameOfCountry } from './country-dialog.js';

/** Where a purchase goes and what was sent, as terms and descriptions; nothing if it goes nowhere. */
export function deliveryFacts({ delivery, parcels = [] }) {
  const where = delivery ? [
    ...fact(t('delivery.address'), label(delivery)),
    ...(delivery.phone ? fact(t('delivery.phone'), [delivery.phone]) : []),
    ...(delivery.rate ? fact(t('delivery.shipping'), [delivery.rate]) : []),
  ] : [];
  const what = t(delivery ? 'delivery.sent' : 'delivery.done');
  return [...where, ...parcels.flatMap((parcel) => fact(what, sent(parcel)))];
}

function sent({ sent_at: at, tracking_number: number, carrier, tracking_url: url }) {
  const parcel = [carrier, number].filter(Boolean).join(' ');
  const place = url ? element('a', { href: url, rel: 'noreferrer' }, parcel || t('delivery.track')) : parcel;
  return [day(at), place].filter(Boolean);
}

/** The address line by line, as on a parcel. */
function label({ name, address }) {
  const { line1, line2, city, state, postal_code: code, country } = address;
  const region = [state, code].filter(Boolean).join(' ');
  const town = state ? [city, region].filter(Boolean).join(', ') : [code, city].filter(Boolean).join(' ');
  return [name, line1, line2, town, country && nameOfCountry(country)].filter(Boolean);
}

function fact(term, lines) {
  return [
    element('dt', {}, term),
    element('dd', {}, ...lines.map((line) => element('span', { class: 'address-line' }, line))),
  ];
}
