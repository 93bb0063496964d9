//! What a session is told of taxes, if Stripe reckons them. Otherwise nothing is said of them: a price
//! that tax should come on top of is then what is paid.

use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAutomaticTax, CreateCheckoutSessionCustomerUpdate,
    CreateCheckoutSessionCustomerUpdateAddress, CreateCheckoutSessionCustomerUpdateShipping,
    CreateCheckoutSessionLineItemsPriceDataTaxBehavior as OfPrice,
    CreateCheckoutSessionShippingOptionsShippingRateDataTaxBehavior as OfShipping,
};

use crate::{
    product::TaxBehavior,
    purchase::{Line, Order},
};

/// Has Stripe reckon the tax. Of a customer it wants to keep the address that it asks for: each
/// renewal is taxed by it (Stripe's page on `customer_update`).
pub(super) fn reckon(request: CreateCheckoutSession, order: &Order) -> CreateCheckoutSession {
    let request = request.automatic_tax(CreateCheckoutSessionAutomaticTax::new(true));
    if order.customer.is_none() {
        return request;
    }
    let mut update = CreateCheckoutSessionCustomerUpdate::new();
    update.address = Some(CreateCheckoutSessionCustomerUpdateAddress::Auto);
    // Goods are taxed where they are sent to.
    let shipping = order.shipping.is_some();
    update.shipping = shipping.then_some(CreateCheckoutSessionCustomerUpdateShipping::Auto);
    request.customer_update(update)
}

pub(super) fn code(line: &Line, order: &Order) -> Option<String> {
    let code = line.tax_code.as_ref().map(ToString::to_string);
    code.filter(|_| order.billing.automatic_tax)
}

pub(super) fn of_line(line: &Line, order: &Order) -> Option<OfPrice> {
    let said = line.tax_behavior.filter(|_| order.billing.automatic_tax);
    said.map(|said| match said {
        TaxBehavior::Inclusive => OfPrice::Inclusive,
        TaxBehavior::Exclusive => OfPrice::Exclusive,
    })
}

pub(super) fn of_shipping(order: &Order) -> Option<OfShipping> {
    let said = order.shipping_tax_behavior();
    let said = said.filter(|_| order.billing.automatic_tax);
    said.map(|said| match said {
        TaxBehavior::Inclusive => OfShipping::Inclusive,
        TaxBehavior::Exclusive => OfShipping::Exclusive,
    })
}
