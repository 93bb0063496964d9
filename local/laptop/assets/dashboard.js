// The dashboard, section by section.

import { showBus } from "./bus.js";
import { showClock } from "./clock.js";
import { showMailbox } from "./mailbox.js";
import { begin } from "./page.js";
import { showParked } from "./parked.js";
import { showProducts } from "./products.js";
import { showPurchases } from "./purchases.js";
import { showSales } from "./sales.js";
import "./search.js";
import { showSubscriptions } from "./subscriptions.js";
import { showSwitches } from "./switches.js";
import { showUnsent } from "./unsent.js";
import { showWebhooks } from "./webhooks.js";

begin(showPurchases, showSubscriptions, showSales, showProducts, showUnsent, showParked,
  showClock, showMailbox, showBus, showWebhooks, showSwitches);
