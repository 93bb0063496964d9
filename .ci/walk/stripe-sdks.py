"""Drives the Stripe stand-in with Stripe's library for Python. Run by `stripe-sdks`.

Each function is one thing that the stand-in claims, in an account of its own.
"""

import http.server
import io
import json
import os
import sys
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
import uuid

import stripe

BASE = os.environ["STAND_IN"]
CARD = "4242424242424242"
DECLINED = "4000000000000002"
DISPUTED = "4000000000000259"
claims = []


def claim(function):
    claims.append(function)
    return function


def post(path, key=None, /, **form):
    """Posts a form past the library, as a browser or a test suite would. Returns where it is redirected to, or JSON."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    request = urllib.request.Request(BASE + path if path.startswith("/") else path, urllib.parse.urlencode(form).encode())
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=30) as answer:
            return json.load(answer) if "json" in answer.headers["Content-Type"] else None
    except urllib.error.HTTPError as answer:
        if answer.code == 303:
            return answer.headers["Location"]
        if answer.code == 402:
            return None
        raise AssertionError(f"POST {path} answered {answer.code}: {answer.read().decode()[:500]}") from None


def until(what, ask, seconds=20):
    end = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < end, f"no {what} within {seconds} seconds"
        time.sleep(0.02)
    return answer


def refused(error, call, *arguments, **parameters):
    """The error of this class that the call must end in."""
    try:
        answer = call(*arguments, **parameters)
    except error as raised:
        # Not one of its subclasses.
        assert type(raised) is error, f"{type(raised).__name__}: {raised}"
        return raised
    raise AssertionError(f"it was not refused but answered {answer}")


def new_session(**parameters):
    line = {"price_data": {"currency": "usd", "unit_amount": 1500, "product_data": {"name": "Mug"}}, "quantity": 1}
    return stripe.checkout.Session.create(**{
        "mode": "payment", "line_items": [line],
        "success_url": "http://shop.example/thanks?session={CHECKOUT_SESSION_ID}", **parameters})


def pay(session, card=CARD, **more):
    """Submits the payment page's form. Returns where the buyer is sent; None if the card is declined."""
    return post(session.url, email="buyer@mail.example", method="card", card_number=card, exp="12 / 40", cvc="123", **more)


def paid(card=CARD):
    """The payment intent of a paid session, its charge expanded."""
    session = new_session()
    assert pay(session, card) == f"http://shop.example/thanks?session={session.id}"
    session = stripe.checkout.Session.retrieve(session.id, expand=["payment_intent.latest_charge"])
    assert (session.status, session.payment_status, session.amount_total) == ("complete", "paid", 1500)
    return session.payment_intent


@claim
def products_and_prices():
    product = stripe.Product.create(name="Mug", metadata={"shelf": "3"}, default_price_data={"currency": "eur", "unit_amount": 900})
    assert product.default_price.startswith("price_") and product.metadata["shelf"] == "3"
    price = stripe.Price.create(product=product.id, currency="usd", unit_amount=1500, lookup_key="mug")
    assert [it.id for it in stripe.Price.list(lookup_keys=["mug"]).data] == [price.id]
    assert stripe.Price.retrieve(price.id, expand=["product"]).product.name == "Mug"
    assert stripe.Product.modify(product.id, active=False).active is False
    assert stripe.Product.list(active=True).data == []
    spare = stripe.Product.create(name="Never sold")
    assert stripe.Product.delete(spare.id).deleted is True


@claim
def customers_are_created_updated_and_deleted():
    customer = stripe.Customer.create(name="Ada", email="ada@mail.example", address={"line1": "1 Way", "country": "GB"})
    assert customer.livemode is False and customer.address.country == "GB"
    changed = stripe.Customer.modify(customer.id, metadata={"level": "gold"}, phone="+44 20")
    assert (changed.name, changed.phone, changed.metadata["level"]) == ("Ada", "+44 20", "gold")
    assert stripe.Customer.delete(customer.id).deleted is True
    assert stripe.Customer.retrieve(customer.id).deleted is True
    assert stripe.Customer.list().data == []


@claim
def lists_turn_their_own_pages():
    made = [stripe.Customer.create(email=f"{number}@mail.example").id for number in range(25)]
    assert [customer.id for customer in stripe.Customer.list(limit=10).auto_paging_iter()] == made[::-1]
    page = stripe.Customer.list(limit=10, ending_before=made[0])
    assert page.data and [customer.id for customer in page.auto_paging_iter()] == made[1:]
    assert len(stripe.Customer.list(email="3@mail.example").data) == 1


@claim
def customers_and_prices_are_searched():
    wanted = stripe.Customer.create(name="Ada Lovelace", metadata={"level": "gold"})
    stripe.Customer.create(name="Charles", metadata={"level": "tin"})
    for query in ["metadata['level']:'gold'", "name~'lovelace'", "name:'Ada Lovelace' AND metadata['level']:'gold'"]:
        found = stripe.Customer.search(query=query)
        assert [customer.id for customer in found.auto_paging_iter()] == [wanted.id], query
    product = stripe.Product.create(name="Mug", metadata={"shelf": "3"})
    assert [it.id for it in stripe.Product.search(query="active:'true' AND metadata['shelf']:'3'").data] == [product.id]


@claim
def the_stripe_client_works_like_the_global_functions():
    client = stripe.StripeClient(stripe.api_key, base_addresses={"api": BASE})
    customer = client.v1.customers.create({"email": "client@mail.example"})
    assert client.v1.customers.retrieve(customer.id).email == "client@mail.example"


@claim
def coupons_and_promotion_codes_take_their_share():
    coupon = stripe.Coupon.create(percent_off=20, duration="once", name="Spring")
    code = stripe.PromotionCode.create(promotion={"type": "coupon", "coupon": coupon.id}, code="SPRING", max_redemptions=1)
    assert stripe.PromotionCode.list(code="SPRING").data[0].id == code.id
    session = new_session(allow_promotion_codes=True)
    assert pay(session, promotion_code="SPRING")
    session = stripe.checkout.Session.retrieve(session.id)
    assert (session.amount_total, session.total_details.amount_discount) == (1200, 300)
    assert stripe.PromotionCode.retrieve(code.id).times_redeemed == 1
    assert stripe.PromotionCode.modify(code.id, active=False).active is False
    assert stripe.Coupon.delete(coupon.id).deleted is True


@claim
def a_checkout_session_is_paid_through_its_page():
    session = new_session(
        client_reference_id="order-1", metadata={"order": "1"}, customer_email="ada@mail.example",
        cancel_url="http://shop.example/cart")
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 1500)
    assert stripe.checkout.Session.list_line_items(session.id).data[0].quantity == 1
    assert pay(session) == f"http://shop.example/thanks?session={session.id}"
    session = stripe.checkout.Session.retrieve(session.id, expand=["line_items", "payment_intent"])
    assert (session.status, session.payment_status) == ("complete", "paid")
    assert session.line_items.data[0].amount_total == 1500 and session.payment_intent.amount_received == 1500
    assert session.metadata["order"] == "1"


@claim
def a_declined_card_pays_nothing_and_another_may_follow():
    session = new_session()
    assert pay(session, DECLINED) is None
    assert stripe.checkout.Session.retrieve(session.id).payment_status == "unpaid"
    assert pay(session)
    assert stripe.checkout.Session.retrieve(session.id).payment_status == "paid"


@claim
def a_checkout_session_expires():
    session = stripe.checkout.Session.expire(new_session().id)
    assert session.status == "expired" and session.url is None
    refused(stripe.InvalidRequestError, stripe.checkout.Session.expire, session.id)


@claim
def a_payment_intent_is_confirmed_at_once_or_later():
    automatic = {"enabled": True, "allow_redirects": "never"}
    intent = stripe.PaymentIntent.create(
        amount=1500, currency="usd", payment_method="pm_card_visa", confirm=True, automatic_payment_methods=automatic,
        expand=["latest_charge"])
    assert intent.status == "succeeded" and intent.latest_charge.paid is True
    intent = stripe.PaymentIntent.create(amount=1500, currency="usd", automatic_payment_methods=automatic)
    assert intent.status == "requires_payment_method" and intent.client_secret.startswith(f"{intent.id}_secret_")
    assert stripe.PaymentIntent.modify(intent.id, amount=1700).amount == 1700
    intent = stripe.PaymentIntent.confirm(intent.id, payment_method="pm_card_mastercard")
    assert (intent.status, intent.amount_received) == ("succeeded", 1700)


@claim
def a_declined_card_is_a_card_error():
    error = refused(
        stripe.CardError, stripe.PaymentIntent.create, amount=1500, currency="usd", confirm=True,
        payment_method="pm_card_visa_chargeDeclinedInsufficientFunds")
    assert (error.http_status, error.code, error.error.decline_code) == (402, "card_declined", "insufficient_funds")
    assert error.error.payment_intent["status"] == "requires_payment_method"
    charge = stripe.Charge.retrieve(error.error.charge)
    assert (charge.status, charge.failure_code) == ("failed", "card_declined")


@claim
def a_payment_is_authorized_and_captured_or_cancelled():
    def held():
        intent = stripe.PaymentIntent.create(
            amount=1500, currency="usd", payment_method="pm_card_visa", confirm=True, capture_method="manual")
        assert (intent.status, intent.amount_capturable) == ("requires_capture", 1500)
        return intent.id

    captured = stripe.PaymentIntent.capture(held(), amount_to_capture=1000)
    assert (captured.status, captured.amount_received) == ("succeeded", 1000)
    assert stripe.PaymentIntent.cancel(held(), cancellation_reason="requested_by_customer").status == "canceled"
    error = refused(stripe.InvalidRequestError, stripe.PaymentIntent.capture, captured.id)
    assert error.code == "payment_intent_unexpected_state", error.code


@claim
def a_customer_keeps_a_payment_method_and_is_charged_again():
    customer = stripe.Customer.create(email="ada@mail.example")
    setup = stripe.SetupIntent.create(customer=customer.id, payment_method="pm_card_visa", confirm=True, usage="off_session")
    assert setup.status == "succeeded"
    kept = stripe.Customer.list_payment_methods(customer.id).data
    assert [method.id for method in kept] == [setup.payment_method] and kept[0].card.last4 == "4242"
    intent = stripe.PaymentIntent.create(
        amount=900, currency="eur", customer=customer.id, payment_method=kept[0].id, off_session=True, confirm=True)
    assert intent.status == "succeeded"
    number = {"number": "5555555555554444", "exp_month": 12, "exp_year": 2040, "cvc": "123"}
    other = stripe.PaymentMethod.create(type="card", card=number)
    assert stripe.PaymentMethod.attach(other.id, customer=customer.id).customer == customer.id
    assert stripe.PaymentMethod.detach(other.id).customer is None


@claim
def a_buyer_is_authenticated_by_3d_secure():
    def challenged():
        intent = stripe.PaymentIntent.create(
            amount=1500, currency="usd", payment_method="pm_card_threeDSecure2Required", confirm=True,
            return_url="http://shop.example/back")
        assert (intent.status, intent.next_action.type) == ("requires_action", "redirect_to_url")
        return intent

    intent = challenged()
    back = post(intent.next_action.redirect_to_url.url, outcome="complete")
    assert back.startswith(f"http://shop.example/back?payment_intent={intent.id}") and "redirect_status=succeeded" in back
    assert stripe.PaymentIntent.retrieve(intent.id).status == "succeeded"
    intent = challenged()
    assert "redirect_status=failed" in post(intent.next_action.redirect_to_url.url, outcome="fail")
    intent = stripe.PaymentIntent.retrieve(intent.id)
    assert (intent.status, intent.last_payment_error.code) == (
        "requires_payment_method", "payment_intent_authentication_failure")


@claim
def a_subscription_lives_through_a_year_of_a_test_clock():
    """As Stripe's page "Test clocks" has it: subscribe, advance, fail, mend, pay."""
    day, start = 86_400, 1_769_860_800  # 31 January 2026, at noon
    clock = stripe.test_helpers.TestClock.create(frozen_time=start, name="A year")
    card = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    customer = stripe.Customer.create(test_clock=clock.id, **card)
    assert customer.created == start
    price = stripe.Price.create(
        currency="eur", unit_amount=900, recurring={"interval": "month"}, product_data={"name": "Coffee"})
    subscription = stripe.Subscription.create(customer=customer.id, items=[{"price": price.id}])
    assert subscription.status == "active" and subscription.start_date == start

    def advance(days):
        clock.advance(frozen_time=start + days * day)
        until("ready clock", lambda: stripe.test_helpers.TestClock.retrieve(clock.id).status == "ready")
        return stripe.Subscription.retrieve(subscription.id, expand=["latest_invoice"])

    renewed = advance(29)
    assert renewed.latest_invoice.status == "paid" and renewed.latest_invoice.billing_reason == "subscription_cycle"
    assert renewed["items"].data[0].current_period_end == start + 59 * day

    failing = stripe.PaymentMethod.attach("pm_card_chargeCustomerFail", customer=customer.id)
    stripe.Customer.modify(customer.id, invoice_settings={"default_payment_method": failing.id})
    failed = advance(60)
    assert failed.status == "past_due" and failed.latest_invoice.attempt_count == 1
    refused(stripe.CardError, stripe.Invoice.pay, failed.latest_invoice.id)
    mended = stripe.PaymentMethod.attach("pm_card_mastercard", customer=customer.id)
    stripe.Customer.modify(customer.id, invoice_settings={"default_payment_method": mended.id})
    assert stripe.Invoice.pay(failed.latest_invoice.id).status == "paid"
    assert stripe.Subscription.retrieve(subscription.id).status == "active"

    stripe.Subscription.modify(subscription.id, cancel_at_period_end=True)
    assert advance(90).status == "canceled"
    clock.delete()
    refused(stripe.InvalidRequestError, stripe.test_helpers.TestClock.retrieve, clock.id)


@claim
def a_checkout_session_begins_a_subscription():
    price = stripe.Price.create(
        currency="usd", unit_amount=900, recurring={"interval": "month"}, product_data={"name": "Coffee"})
    lines = {"line_items": [{"price": price.id, "quantity": 1}]}
    session = new_session(mode="subscription", **lines)
    assert pay(session) is not None
    session = stripe.checkout.Session.retrieve(session.id, expand=["subscription.latest_invoice"])
    assert session.payment_status == "paid" and session.subscription.status == "active"
    assert session.subscription.latest_invoice.amount_paid == 900


@claim
def refunds_in_parts():
    intent = paid()
    first = stripe.Refund.create(payment_intent=intent.id, amount=500, reason="requested_by_customer")
    assert (first.status, first.amount) == ("succeeded", 500)
    assert stripe.Charge.retrieve(intent.latest_charge.id).amount_refunded == 500
    assert stripe.Refund.create(charge=intent.latest_charge.id).amount == 1000
    charge = stripe.Charge.retrieve(intent.latest_charge.id)
    assert charge.refunded is True
    assert len(stripe.Refund.list(payment_intent=intent.id).data) == 2
    error = refused(stripe.InvalidRequestError, stripe.Refund.create, payment_intent=intent.id)
    assert error.code == "charge_already_refunded", error.code
    assert stripe.Refund.modify(first.id, metadata={"why": "late"}).metadata["why"] == "late"


@claim
def a_dispute_is_won_with_evidence():
    intent = paid(DISPUTED)
    dispute = until("dispute", lambda: stripe.Dispute.list(payment_intent=intent.id).data)[0]
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 1500)
    held = stripe.Dispute.modify(dispute.id, evidence={"product_description": "A mug"}, submit=False)
    assert held.status == "needs_response" and held.evidence.product_description == "A mug"
    stripe.Dispute.modify(dispute.id, evidence={"uncategorized_text": "winning_evidence"})
    won = until("verdict", lambda: [it for it in [stripe.Dispute.retrieve(dispute.id)] if it.status == "won"])[0]
    assert won.evidence_details.has_evidence is True


@claim
def evidence_is_uploaded_and_comes_back_by_a_link():
    content = b"\x89PNG\r\n\x1a\nreceipt"
    picture = io.BytesIO(content)
    picture.name = "receipt.png"
    file = stripe.File.create(purpose="dispute_evidence", file=picture)
    assert (file.filename, file.size, file.type) == ("receipt.png", len(content), "png")
    link = stripe.FileLink.create(file=file.id)
    with urllib.request.urlopen(link.url, timeout=30) as answer:
        assert answer.read() == content
    intent = paid(DISPUTED)
    dispute = until("dispute", lambda: stripe.Dispute.list(payment_intent=intent.id).data)[0]
    held = stripe.Dispute.modify(dispute.id, evidence={"receipt": file.id}, submit=False, expand=["evidence.receipt"])
    assert held.evidence.receipt.filename == "receipt.png"
    text = io.BytesIO(b"not a picture")
    error = refused(stripe.InvalidRequestError, stripe.File.create, purpose="dispute_evidence", file=text)
    assert error.param == "file", error.param


@claim
def a_dispute_is_lost_by_closing_it():
    intent = paid(DISPUTED)
    dispute = until("dispute", lambda: stripe.Dispute.list(payment_intent=intent.id).data)[0]
    assert stripe.Dispute.close(dispute.id).status == "lost"
    assert stripe.Charge.retrieve(intent.latest_charge.id).disputed is True


@claim
def events_tell_what_happened():
    session = new_session()
    pay(session)
    types = [event.type for event in stripe.Event.list(limit=100).auto_paging_iter()]
    for wanted in ["payment_intent.succeeded", "charge.succeeded", "checkout.session.completed"]:
        assert wanted in types, f"no {wanted} among {types}"
    event = stripe.Event.list(type="checkout.session.completed").data[0]
    assert event.data.object.id == session.id
    assert stripe.Event.retrieve(event.id).id == event.id
    changed = stripe.Customer.create(name="Ada")
    stripe.Customer.modify(changed.id, name="Ada Lovelace")
    update = stripe.Event.list(type="customer.updated").data[0]
    assert update.data.previous_attributes["name"] == "Ada" and update.data.object.name == "Ada Lovelace"


class Receiver:
    """A webhook as an application has it. Answers 500 to the first `failing` tries."""

    def __init__(self, failing=0):
        self.secret, self.heard, self.refusals, self.failing = None, [], [], failing
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = 200
                try:
                    event = stripe.Webhook.construct_event(body, self.headers["Stripe-Signature"], receiver.secret)
                    if receiver.failing:
                        receiver.failing, status = receiver.failing - 1, 500
                    else:
                        receiver.heard.append(event)
                except (ValueError, stripe.SignatureVerificationError) as error:
                    receiver.refusals.append(error)
                    status = 400
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhook"

    def registered(self, *types):
        endpoint = stripe.WebhookEndpoint.create(url=self.url, enabled_events=list(types), api_version=stripe.api_version)
        self.secret = endpoint.secret
        return endpoint


@claim
def a_webhook_endpoint_gets_what_construct_event_accepts():
    receiver = Receiver()
    endpoint = receiver.registered("checkout.session.completed", "charge.refunded")
    assert endpoint.secret.startswith("whsec_") and endpoint.status == "enabled"
    intent = paid()
    stripe.Refund.create(payment_intent=intent.id)
    until("second event", lambda: len(receiver.heard) == 2)
    assert sorted(event.type for event in receiver.heard) == ["charge.refunded", "checkout.session.completed"]
    assert {event.api_version for event in receiver.heard} == {stripe.api_version}
    assert receiver.refusals == []
    stripe.WebhookEndpoint.modify(endpoint.id, enabled_events=["customer.created"])
    stripe.Customer.create(name="Ada")
    until("event of the new kind", lambda: receiver.heard[-1].type == "customer.created")
    assert stripe.WebhookEndpoint.delete(endpoint.id).deleted is True


@claim
def a_wrong_signing_secret_is_noticed():
    receiver = Receiver()
    receiver.registered("customer.created")
    receiver.secret = "whsec_another"
    stripe.Customer.create(name="Ada")
    until("refusal", lambda: receiver.refusals)
    assert isinstance(receiver.refusals[0], stripe.SignatureVerificationError)


@claim
def a_webhook_that_fails_is_tried_again():
    receiver = Receiver(failing=1)
    receiver.registered("customer.created")
    stripe.Customer.create(name="Ada")
    until("failed try", lambda: receiver.failing == 0)
    # The next try is due by the stand-in's own clock.
    def heard():
        post("/_stripe/clock", stripe.api_key, advance=3600)
        return receiver.heard
    until("second try", heard)
    assert receiver.heard[0].type == "customer.created"


@claim
def an_idempotency_key_makes_one_object():
    key = str(uuid.uuid4())
    first = stripe.Customer.create(name="Ada", idempotency_key=key)
    again = stripe.Customer.create(name="Ada", idempotency_key=key)
    assert first.id == again.id and len(stripe.Customer.list().data) == 1
    assert again.last_response.headers["idempotent-replayed"] == "true"
    error = refused(stripe.IdempotencyError, stripe.Customer.create, name="Charles", idempotency_key=key)
    assert error.http_status == 400


@claim
def errors_have_the_classes_of_the_library():
    missing = refused(stripe.InvalidRequestError, stripe.Customer.retrieve, "cus_none")
    assert (missing.http_status, missing.code, missing.param) == (404, "resource_missing", "id")
    unknown = refused(stripe.InvalidRequestError, stripe.Customer.create, nmae="Ada")
    assert (unknown.http_status, unknown.code, unknown.param) == (400, "parameter_unknown", "nmae")
    lacking = refused(stripe.InvalidRequestError, stripe.Price.create, unit_amount=1500)
    assert (lacking.http_status, lacking.code) == (400, "parameter_missing")
    assert missing.request_id.startswith("req_")
    wrong = refused(stripe.AuthenticationError, stripe.Customer.list, api_key="sk_wrong")
    assert wrong.http_status == 401
    stranger = refused(stripe.PermissionError, stripe.Customer.list, stripe_account="acct_stranger")
    assert stranger.http_status == 403


@claim
def a_rate_limit_is_raised_once_retries_are_used_up():
    post("/_stripe/faults", stripe.api_key, fault="rate_limit", path="/v1/customers", times=1)
    client = stripe.StripeClient(stripe.api_key, base_addresses={"api": BASE}, max_network_retries=0)
    error = refused(stripe.RateLimitError, client.v1.customers.list)
    assert error.http_status == 429
    assert client.v1.customers.list().data == []


@claim
def the_library_repeats_calls_after_faults_and_they_are_done_once():
    client = stripe.StripeClient(stripe.api_key, base_addresses={"api": BASE}, max_network_retries=2)
    post("/_stripe/faults", stripe.api_key, fault="hang_up", path="/v1/customers", method="POST", times=2)
    customer = client.v1.customers.create({"name": "Ada"})
    post("/_stripe/faults", stripe.api_key, fault="error", status=503, path="/v1/customers", method="GET", times=2)
    assert [it.id for it in client.v1.customers.list().data] == [customer.id]
    # What was answered to a key is its answer, also if it is a failure of Stripe's.
    post("/_stripe/faults", stripe.api_key, fault="error", status=500, path="/v1/customers", method="POST", times=1)
    assert refused(stripe.APIError, client.v1.customers.create, {"name": "Ada"}).http_status == 500


@claim
def an_answer_that_takes_too_long_is_a_connection_error():
    post("/_stripe/faults", stripe.api_key, fault="slow", delay_ms=3000, path="/v1/customers", times=1)
    client = stripe.StripeClient(
        stripe.api_key, base_addresses={"api": BASE}, max_network_retries=0, http_client=stripe.RequestsClient(timeout=0.5))
    refused(stripe.APIConnectionError, client.v1.customers.list)


@claim
def objects_are_expanded_in_objects_and_lists():
    intent = paid()
    charge = stripe.Charge.retrieve(intent.latest_charge.id, expand=["payment_intent", "balance_transaction"])
    assert charge.payment_intent.id == intent.id and charge.balance_transaction.net < 1500
    sessions = stripe.checkout.Session.list(expand=["data.payment_intent.latest_charge"])
    assert sessions.data[0].payment_intent.latest_charge.id == charge.id
    error = refused(stripe.InvalidRequestError, stripe.Charge.retrieve, charge.id, expand=["nonsense"])
    assert "nonsense" in str(error)


@claim
def other_versions_of_the_api_are_answered_as_they_are():
    for version in ["2020-08-27", "2025-03-31.basil", "2025-09-30.clover", stripe.api_version]:
        customer = stripe.Customer.create(name="Ada", stripe_version=version)
        assert customer.last_response.headers["stripe-version"] == version
    error = refused(stripe.InvalidRequestError, stripe.Customer.list, stripe_version="tomorrow")
    assert "tomorrow" in str(error)


@claim
def accounts_of_different_keys_do_not_see_each_other():
    customer = stripe.Customer.create(name="Ada")
    other = f"sk_test_{uuid.uuid4().hex}"
    assert stripe.Customer.list(api_key=other).data == []
    refused(stripe.InvalidRequestError, stripe.Customer.retrieve, customer.id, api_key=other)
    assert stripe.Account.retrieve().id != stripe.Account.retrieve(api_key=other).id


@claim
def reset_and_snapshots_give_a_clean_world():
    stripe.Customer.create(name="Ada")
    post("/_stripe/snapshots", stripe.api_key, name="one")
    stripe.Customer.create(name="Charles")
    post("/_stripe/snapshots/one/restore", stripe.api_key)
    assert [customer.name for customer in stripe.Customer.list().data] == ["Ada"]
    post("/_stripe/reset", stripe.api_key)
    assert stripe.Customer.list().data == [] and stripe.Event.list().data == []


def main():
    print(f"stripe-python {stripe.VERSION}, API {stripe.api_version}", flush=True)
    stripe.api_base = stripe.upload_api_base = BASE
    failed = 0
    for function in claims:
        if len(sys.argv) > 1 and function.__name__ not in sys.argv[1:]:
            continue
        stripe.api_key = f"sk_test_{uuid.uuid4().hex}"
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"  works  {name}", flush=True)
        except Exception:
            failed += 1
            print(f"  FAILS  {name}\n{traceback.format_exc()}", flush=True)
    sys.exit(f"{failed} of {len(claims)} failed" if failed else 0)


main()
