// The dashboard of a deployed shop, section by section.

import { showAlarms } from "./alarms.js";
import { showDoctor } from "./doctor.js";
import { begin } from "./page.js";
import { showPurchases } from "./purchases.js";
import { showSubscriptions } from "./subscriptions.js";

begin(showPurchases, showSubscriptions, showAlarms, showDoctor);
