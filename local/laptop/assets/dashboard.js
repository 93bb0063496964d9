// The dashboard, section by section.

import { showBus } from "./bus.js";
import { showClock } from "./clock.js";
import { showMailbox } from "./mailbox.js";
import { begin } from "./page.js";
import { showPurchases } from "./purchases.js";
import { showSubscriptions } from "./subscriptions.js";
import { showSwitches } from "./switches.js";
import { showWebhooks } from "./webhooks.js";

begin(showPurchases, showSubscriptions, showClock, showMailbox, showBus, showWebhooks, showSwitches);
