// Made from functions/openapi.yaml by .ci/check/contract_types.py; .ci/check/contract compares them.

/** Chosen by the seller. */
export type ProductId = string;

/** A UUIDv7 in lower case, so that ids sort by time. */
export type PurchaseId = string;

export type Quantity = number;

export type Currency = string;

export type Money = {
  /** In minor units; 1500 usd is 15 dollars. */
  amount: number;
  currency: Currency;
};

export type Product = {
  id: ProductId;
  name: string;
  description: string;
  images: string[];
  /** The price of one; of what recurs, for each time. */
  price: Money;
  recurring?: Recurring;
  /** Sent by post, so the payment page asks for an address. Absent if it is not. */
  shipped?: true;
  /**
   * The group whose variants it is one of, such as all sizes and colors of one shirt. Absent
   * if it is not a variant.
   */
  group?: string;
  /** What tells it from the others of its group, one to four. Absent without a group. */
  options?: {
  };
  /** What buyers look for it under. Absent if it has none. */
  category?: string;
  /** Its buyers can download a file: `downloads` of their purchase. Absent if there is none. */
  download?: {
    /** What kind of file it is, as a media type. */
    type: string;
    /** In bytes. Absent if it is not known. */
    size?: number;
  };
  /** What Stripe taxes it as. Absent if that is up to the seller's account there. */
  tax_code?: string;
  /**
   * Whether tax is in the price already, or comes on top of it once the payment page knows
   * where the buyer is. Absent if that is up to the seller's account at Stripe.
   */
  tax_behavior?: "inclusive" | "exclusive";
  /** Whether it is for sale. */
  active: boolean;
  /**
   * How many are left to sell; absent if it never runs out. It may be out of date for as long
   * as a copy may be shown, so only the checkout knows for sure.
   */
  stock?: number;
};

/** How often it is paid for. Absent if that is once. */
export type Recurring = {
  interval: "day" | "week" | "month" | "year";
  /** How many intervals lie between two payments; at most three years. */
  interval_count: number;
  /**
   * How many days are free before the first payment. Absent if it is due at once. Whoever had
   * a trial of the product before gets no other: then the checkout takes the first payment at
   * once, and the purchase's line has no `trial_days`.
   */
  trial_days?: number;
};

export type Products = {
  products: Product[];
  next: Next;
};

export type Cart = {
  /**
   * At most 90 distinct products, 999 pieces of each, and all in one currency. Those that
   * recur become one subscription, so they must have the same `recurring`; there can be at
   * most 20 of them, and 20 others beside them, which are paid for once, with the first
   * payment.
   */
  items: {
    product_id: ProductId;
    quantity: Quantity;
  }[];
  /**
   * Where it is to be delivered. Needed only if something is shipped and what that costs
   * depends on the country; then the payment page takes addresses of that country alone.
   */
  country?: Country;
};

/** A two-letter ISO 3166 code. */
export type Country = string;

export type Checkout = {
  purchase_id: PurchaseId;
  /** Stripe's page for this purchase. */
  url: string;
};

/** Stripe's id. */
export type SubscriptionId = string;

export type Subscription = {
  id: SubscriptionId;
  /** The purchase with which it began. */
  purchase_id: PurchaseId;
  /**
   * As at Stripe. `unread`: it has just begun, and nothing else is known of it yet. `past_due`:
   * the last payment failed, and Stripe keeps trying; `unpaid`: it has stopped trying.
   */
  status:
    | "unread"
    | "incomplete"
    | "incomplete_expired"
    | "trialing"
    | "active"
    | "past_due"
    | "unpaid"
    | "paused"
    | "canceled";
  /** Whether the buyer is entitled to it now, without any grace. */
  active: boolean;
  /** Until when they are, or were. Absent if they never were. */
  active_until?: string;
  /** What it is to. Empty while it is `unread`. */
  items: SubscriptionItem[];
  currency?: Currency;
  /** What a period costs, before discounts, taxes and credits. Absent if a price has tiers. */
  total?: Money;
  started_at?: string;
  period?: Period;
  /** When its trial ends, or ended. Absent if it had none. */
  trial_end?: string;
  /** When it ends, because it is cancelled. Absent if it goes on, or has ended. */
  cancel_at?: string;
  ended_at?: string;
  /** The next payment, as far as it can be told. Absent if there is none. */
  next?: {
    at: string;
    /**
     * By the prices alone, as `total`: what is charged is less by discounts and the
     * buyer's credit at Stripe, and more by taxes and by what a change of the plan left
     * over. Stripe works that out on the day, and no answer of this API waits for it.
     */
    amount: Money;
  };
  /** Its invoices are not collected for now. Absent if they are. */
  pause?: {
    /** When they are collected again, if that is known. */
    resumes_at?: string;
  };
  /** What has to be paid for it to go on. Absent if nothing has. */
  to_pay?: {
    invoice_id: InvoiceId;
    amount: Money;
    /** Stripe's page to pay it. */
    url?: string;
    /** When Stripe tries again by itself, if it does. */
    next_attempt?: string;
  };
};

export type SubscriptionDetails = Subscription & {
  /** The newest 100, newest first, without drafts. */
  invoices: Invoice[];
};

export type SubscriptionItem = {
  /** Absent if it is not one of the shop's products. */
  product_id?: ProductId;
  name: string;
  quantity: number;
  /** Price of one, in minor units. Absent if it has tiers. */
  unit_amount?: number;
  recurring: Recurring;
};

export type Period = {
  start: string;
  end: string;
};

/** Stripe's id. */
export type InvoiceId = string;

export type Invoice = {
  id: InvoiceId;
  number?: string;
  /** As at Stripe, unless the money went back, as with a purchase. */
  status:
    | "open"
    | "uncollectible"
    | "void"
    | "paid"
    | "partially_refunded"
    | "refunded"
    | "disputed"
    | "charged_back";
  /**
   * The `first` payment, which is that of the purchase `purchase_id`; a `renewal`; a `change`
   * of the plan; or something else.
   */
  reason: "first" | "renewal" | "change" | "other";
  created_at: string;
  /** What it comes to, with discounts and taxes. */
  total: Balance;
  paid: Money;
  refunded: Money;
  disputed: Money;
  net: Balance;
  /** How its total comes about. Absent if that is what the items cost. */
  sums?: Sums;
  /** The time it pays for. Absent if it only adjusts what another one paid for. */
  period?: Period;
  /** Stripe's page to see it, and to pay it if it is open. */
  url?: string;
};

export type Subscriptions = {
  subscriptions: Subscription[];
  next: null;
};

export type Entitlements = {
  entitlements: Entitlement[];
};

export type Entitlement = {
  product_id: ProductId;
  quantity: number;
  subscription_id: SubscriptionId;
  /** Whether the buyer may use it now. */
  active: boolean;
  /** Until when, with the grace. */
  active_until: string;
};

export type Portal = {
  /** Stripe's page for this buyer. */
  url: string;
};

export type Balance = {
  /** In minor units, as in `Money`; may be negative. */
  amount: number;
  currency: Currency;
};

/**
 * What the facts known so far add up to. Payment: `open` (not paid yet), `abandoned` and
 * `expired` (will not be paid), `pending` (a delayed method, see `waits_for`), `failed`, `paid`
 * (or free).
 * What went back: `partially_refunded`, `refunded`. What a bank took back: `disputed` (not
 * decided yet), `charged_back` (for good). It may change in either direction: a refund can
 * fail, and a dispute can be won.
 */
export type Status =
  | "open"
  | "abandoned"
  | "expired"
  | "pending"
  | "failed"
  | "paid"
  | "partially_refunded"
  | "refunded"
  | "disputed"
  | "charged_back";

/** What a `pending` payment is waiting for. Absent with any other status. */
export type WaitsFor = {
  /**
   * `buyer`: they still have to pay, with a voucher (OXXO, Boleto, Konbini, Multibanco) or
   * by a transfer. `bank`: the money is on its way. `unknown`: Stripe has not said yet.
   */
  who: "unknown" | "buyer" | "bank";
  /** Stripe's page with the voucher or the instructions, if there is one. */
  voucher_url?: string;
};

/**
 * The subtotal, less the discount, with shipping, and with tax as far as it is not in the prices,
 * is the total: subtotal − discount + shipping + tax − tax_included.
 */
export type Sums = {
  /** What the goods cost. */
  subtotal: Money;
  discount: Money;
  shipping: Money;
  /** All of the tax. */
  tax: Money;
  /** How much of the tax is in the prices, so that it does not come on top of them. */
  tax_included: Money;
  total: Money;
};

/** Something that the seller sent or, of what is not shipped, did. */
export type Parcel = {
  sent_at: string;
  tracking_number?: string;
  /** Who delivers it. */
  carrier?: string;
  /** Where to see how far it has come. */
  tracking_url?: string;
};

export type WrittenInvoice = {
  number?: string;
  /** Stripe's page with it. */
  url?: string;
  /** The same as a file. */
  pdf?: string;
};

/** As the buyer told the payment page. */
export type Delivery = {
  /** Who receives it. */
  name?: string;
  phone?: string;
  /** Which parts there are depends on the country. */
  address: {
    line1?: string;
    line2?: string;
    city?: string;
    state?: string;
    postal_code?: string;
    country?: Country;
  };
  /** The name of the shipping rate that the buyer chose. Absent if there was none. */
  rate?: string;
};

export type Purchase = {
  id: PurchaseId;
  status: Status;
  waits_for?: WaitsFor;
  created_at: string;
  /**
   * What the lines come to, before any promotion; of what recurs, the first payment, or
   * nothing if it begins with a trial.
   */
  total: Money;
  /**
   * How what was paid comes about. Absent until it is paid, and if what was paid is what the
   * lines come to.
   */
  sums?: Sums;
  /** Where it goes. Absent until it is paid, and if nothing is shipped. */
  delivery?: Delivery;
  /** What the seller has sent, or done, so far. Absent if nothing. */
  parcels?: Parcel[];
  /**
   * The invoice that Stripe wrote of it, if the shop has them written and it is known. What is
   * subscribed to has its own.
   */
  invoice?: WrittenInvoice;
  /**
   * What has been paid so far; less than the total if there was a promotion, more with
   * shipping, or with tax on top.
   */
  paid: Money;
  /** What went back to the buyer, not counting refunds that are still on their way. */
  refunded: Money;
  /** What banks are holding because of disputes, or took back for good. */
  disputed: Money;
  /**
   * Paid, less refunded, less disputed; negative if more went back than was paid. All four
   * are in one currency: the total's, unless nothing was paid in it.
   */
  net: Balance;
  /**
   * The subscription that began with it. Absent if none has. Its first invoice has the
   * payment, and what went back of that is counted here as well as there; its other
   * invoices, which have the renewals, are counted only there.
   */
  subscription_id?: SubscriptionId;
  /**
   * What was bought, with names and prices as they were then, in the total's currency. Empty
   * if the order was lost and rebuilt from what Stripe knew about it.
   */
  lines: Line[];
  /** Where to pay. Absent once there is nothing left to pay. */
  payment?: {
    /** Stripe's page for this purchase. */
    url: string;
    /** Until when it can be paid. */
    expires_at: string;
  };
  /** Every refund, whatever became of it. Absent if there was none. */
  refunds?: Refund[];
  /** Every dispute and inquiry. Absent if there was none. */
  disputes?: Dispute[];
  /**
   * What a person should look into; the shop is told, too. Absent if all is well. More kinds
   * may be added.
   *
   * - `paid_twice`: two sessions of it were paid
   * - `overpaid`: more was paid than ordered
   * - `other_currency`: money moved in another currency than the order's
   * - `rebuilt`: the order was lost and rebuilt from what Stripe knew about it
   * - `paid_after_stock_returned`: paid after its stock was given back, so it may be sold out
   * - `overreturned`: more went back than was paid
   * - `dispute_decided_twice`: a dispute was both won and lost
   */
  attention?: (
    | "paid_twice"
    | "overpaid"
    | "other_currency"
    | "rebuilt"
    | "paid_after_stock_returned"
    | "overreturned"
    | "dispute_decided_twice")[];
  /**
   * The files that were bought, while the buyer may download them: once it is paid for, and until
   * all of the money went back or a dispute holds it. Only `getPurchase` has them. Absent if
   * there are none.
   */
  downloads?: Download[];
};

export type Download = {
  product_id: ProductId;
  /** What the file is called. */
  name: string;
  /** In bytes, when it was bought. Absent if it is not known. */
  size?: number;
  /**
   * Downloads the file, without a token: `GET` works, and `Range`. It is for the buyer alone;
   * get the purchase again for another one.
   */
  url: string;
  /** Until when the link works, some minutes from now. A download that has begun goes on. */
  expires_at: string;
};

export type Line = {
  product_id: ProductId;
  name: string;
  quantity: Quantity;
  /** Price of one, in minor units; of what recurs, for each time. */
  unit_amount: number;
  recurring?: Recurring;
  /** Sent by post. Absent if it is not. */
  shipped?: true;
};

export type Refund = {
  /** Stripe's id. */
  id: string;
  /**
   * `pending`; `requires_action` (Stripe asks the buyer where the money should go);
   * `succeeded`; `canceled`; `failed` (the bank sent the money back, perhaps days after the
   * refund had succeeded).
   */
  status: "pending" | "requires_action" | "succeeded" | "canceled" | "failed";
  amount: Money;
  /**
   * How much of it is tax, in proportion to the payment. Absent if no tax was paid, and of a
   * refund that does not reach the buyer.
   */
  tax?: Money;
};

export type Dispute = {
  /** Stripe's id. */
  id: string;
  /**
   * Those that begin with `warning_` are inquiries: the bank asks before it takes any money.
   * `prevented` was settled before it could. In `needs_response` and `under_review` the bank
   * holds the money. `won` and `lost` are from the shop's side: won means the payment stands.
   */
  status:
    | "warning_needs_response"
    | "warning_under_review"
    | "warning_closed"
    | "prevented"
    | "needs_response"
    | "under_review"
    | "won"
    | "lost";
  /** How much of the payment is disputed. */
  amount: Money;
};

export type Purchases = {
  purchases: Purchase[];
  next: Next;
};

/** Cursor of the following page; null on the last. */
export type Next = string | null;

export type Problem = {
  type: ProblemType;
  /** The kind of problem in words. */
  title: string;
  /** As in the answer's status line. */
  status: number;
  /** What happened this time, and what to do about it. */
  detail: string;
  /** Finds this request in the logs. */
  request_id: string;
};

/**
 * Names the kind of problem, and never changes. More may be added, so a client should fall back
 * on `status` for one that it does not know.
 */
export type ProblemType =
  | "urn:till:problem:bad-request"
  | "urn:till:problem:body-too-large"
  | "urn:till:problem:busy"
  | "urn:till:problem:cart-too-large"
  | "urn:till:problem:country-needed"
  | "urn:till:problem:email-not-verified"
  | "urn:till:problem:idempotency-key-reused"
  | "urn:till:problem:internal"
  | "urn:till:problem:mixed-currencies"
  | "urn:till:problem:mixed-terms"
  | "urn:till:problem:not-deliverable"
  | "urn:till:problem:not-delivered-there"
  | "urn:till:problem:not-found"
  | "urn:till:problem:not-open"
  | "urn:till:problem:payment-provider-busy"
  | "urn:till:problem:payment-provider-failed"
  | "urn:till:problem:payment-provider-refused"
  | "urn:till:problem:payment-provider-timeout"
  | "urn:till:problem:product-inactive"
  | "urn:till:problem:shipped-beside-subscription"
  | "urn:till:problem:signed-out"
  | "urn:till:problem:sold-out"
  | "urn:till:problem:subscribed-in-other-currency"
  | "urn:till:problem:timeout"
  | "urn:till:problem:too-many-open-purchases"
  | "urn:till:problem:too-many-requests"
  | "urn:till:problem:too-much-reserved"
  | "urn:till:problem:total-not-chargeable"
  | "urn:till:problem:unknown-product";

export type HeldProblem = Problem & {
  open_purchases?: OpenPurchase[];
};

export type CountryProblem = Problem & {
  /** Where the shop delivers to, if it has to know where this goes. */
  countries?: Country[];
};

export type OpenPurchase = {
  purchase_id: PurchaseId;
  /**
   * Where to pay. Absent while the outcome of its call to Stripe is unknown: then it can only
   * be cancelled, or asked for again with its `Idempotency-Key`.
   */
  url?: string;
  /** Until when it can be paid. */
  expires_at: string;
};

/** The gateway in front of the functions refused or failed. */
export type GatewayError = {
  message: string;
};

/** What every call takes. */
export interface Options {
  /** Ends the call. */
  signal?: AbortSignal;
  /** As in `fetch`: `reload` asks the shop itself, whatever copy there is. */
  cache?: RequestCache;
}

/** One function per operation of the contract. */
export interface Client {
  /**
   * Open a purchase and a page to pay for it.
   *
   * Names, prices and currency come from the catalog, the buyer from the token: the request only
   * says what is wanted. Lines with the same product are merged.
   */
  openCheckout(cart: Cart, options?: Options & { idempotencyKey?: string }): Promise<Checkout>;
  /** List what is for sale. */
  listProducts(query?: { limit?: number; cursor?: string }, options?: Options): Promise<Products>;
  /** Show one product. */
  getProduct(id: ProductId, options?: Options): Promise<Product>;
  /**
   * List the buyer's purchases.
   *
   * Those that were paid or are about to be, newest first; a page may be a few seconds out of
   * date. With `status=open`, those waiting for payment: all of them on one page, always up to
   * date.
   */
  listPurchases(query?: { status?: "open"; limit?: number; cursor?: string }, options?: Options): Promise<Purchases>;
  /**
   * Show one of the buyer's purchases.
   *
   * Always up to date. While it is open, Stripe is asked now and then whether it is paid, so a
   * buyer who comes back from the payment page need not wait for Stripe's event; such an answer
   * may take a few seconds. Somebody else's purchase gets the same answer as one that does not
   * exist.
   */
  getPurchase(id: PurchaseId, options?: Options): Promise<Purchase>;
  /**
   * Cancel an unpaid purchase.
   *
   * Nobody can pay it any more, and what it had reserved is for sale again at once. Cancelling a
   * purchase that is already cancelled, or has come to nothing, gets the same answer.
   */
  cancelPurchase(id: PurchaseId, options?: Options): Promise<Purchase>;
  /**
   * List what the buyer subscribes to.
   *
   * And what they used to subscribe to: all of it on one page, at most 100, newest first, each as
   * Stripe last described it, without the invoices.
   */
  listSubscriptions(options?: Options): Promise<Subscriptions>;
  /**
   * Show one of the buyer's subscriptions.
   *
   * With its invoices. Somebody else's subscription gets the same answer as one that does not
   * exist.
   */
  getSubscription(id: SubscriptionId, options?: Options): Promise<SubscriptionDetails>;
  /**
   * List the products that the buyer may use, and until when.
   *
   * For a site that lets in only subscribers: its server passes the buyer's token on, and lets
   * them in where `active` is true. It may keep the answer until `active_until`, but that can be
   * cut short, by a refund, say, so it should ask again every few minutes.
   *
   * What is bought once is not in it, nor what the buyer never was entitled to. If they subscribe
   * to a product several times, the subscription that lasts longest counts.
   */
  listEntitlements(query?: { grace?: number }, options?: Options): Promise<Entitlements>;
  /**
   * Open the buyer's billing portal.
   *
   * At Stripe, and only for the buyer who asks: there they change how they pay, see invoices,
   * change or cancel what they subscribe to, as far as the shop's portal settings allow. The
   * request has no body.
   */
  openPortal(options?: Options): Promise<Portal>;
}

/** The shop refused or failed. The message is for programmers: it may name fields and ids. */
export declare class TillError extends Error {
  constructor(status: number, content?: unknown);
  /** The answer's status; 401 also if there was no token to send. */
  readonly status: number;
  /** The end of the problem's `type`, such as `sold-out`; undefined if the gateway answered. */
  readonly kind: string | undefined;
  /** Finds the request in the shop's logs. */
  readonly requestId: string | undefined;
  /** The buyer's own unpaid purchases that are in the way. */
  readonly openPurchases: OpenPurchase[];
  /** Where the shop delivers to, if it has to know where this goes. */
  readonly countries: Country[];
}

/** No answer arrived, so there is no telling whether the call did anything. Calling again is safe. */
export declare class Unreachable extends Error {
  constructor(cause: unknown);
}

export interface Settings {
  /** The buyer's ID token, asked for with every call that needs one. */
  token?: () => string | null | undefined | Promise<string | null | undefined>;
  /** How many milliseconds an answer may take; 30 000 by default. */
  timeout?: number;
  /**
   * Waits, when a busy shop has said how long; then the call is made once more. A page may say so
   * meanwhile.
   */
  wait?: (seconds: number) => Promise<void>;
}

/** One shop, and one buyer at most. */
export declare class Till {
  /** `api` is the API's base URL: the stack's output `ApiUrl`. */
  constructor(api: string, settings?: Settings);
}
export interface Till extends Client {}
