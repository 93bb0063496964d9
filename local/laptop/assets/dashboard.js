// The dashboard, section by section.

import { showMailbox } from "./mailbox.js";
import { begin } from "./page.js";
import { showPurchases } from "./purchases.js";
import { showSwitches } from "./switches.js";
import { showWebhooks } from "./webhooks.js";

begin(showPurchases, showMailbox, showWebhooks, showSwitches);
