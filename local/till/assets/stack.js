// The dashboard of a deployed shop, section by section.

import { showAlarms } from "./alarms.js";
import { showDoctor } from "./doctor.js";
import { begin } from "./page.js";
import { showParked } from "./parked.js";
import { showProducts } from "./products.js";
import { showPurchases } from "./purchases.js";
import { showSales } from "./sales.js";
import "./search.js";
import { showSubscriptions } from "./subscriptions.js";
import { showUnsent } from "./unsent.js";

begin(showPurchases, showSubscriptions, showSales, showProducts, showUnsent, showParked, showAlarms, showDoctor);
