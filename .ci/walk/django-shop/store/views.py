"""One product, bought through Stripe Checkout, and paid once the webhook says so."""

import stripe
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .models import Purchase


def home(request):
    return HttpResponse('<form method="post" action="/buy/"><button>Buy the book</button></form>')


@csrf_exempt
@require_POST
def buy(request):
    purchase = Purchase.objects.create()
    session = stripe.checkout.Session.create(
        payment_method_types=["card"],
        line_items=[
            {
                "price_data": {
                    "currency": "usd",
                    "unit_amount": 2000,
                    "product_data": {"name": "A book", "description": "Bound in linen"},
                },
                "quantity": 1,
            }
        ],
        mode="payment",
        metadata={"purchase_id": purchase.id},
        success_url=request.build_absolute_uri("/success/") + "?session_id={CHECKOUT_SESSION_ID}",
        cancel_url=request.build_absolute_uri("/cancelled/"),
    )
    purchase.stripe_session = session.id
    purchase.save()
    return redirect(session.url, permanent=False)


def success(request):
    session = stripe.checkout.Session.retrieve(request.GET["session_id"])
    purchase = get_object_or_404(Purchase, stripe_session=session.id)
    return HttpResponse(f"Thank you, {session.customer_details.email}. Purchase {purchase.id} is {purchase.status}.")


def cancelled(request):
    return HttpResponse("Nothing was bought.")


@csrf_exempt
def webhook(request):
    try:
        event = stripe.Webhook.construct_event(
            request.body, request.META.get("HTTP_STRIPE_SIGNATURE", ""), settings.STRIPE_WEBHOOK_SECRET
        )
    except (ValueError, stripe.SignatureVerificationError):
        return HttpResponse(status=400)
    if event.type == "checkout.session.completed":
        session = event.data.object
        Purchase.objects.filter(id=session.metadata["purchase_id"]).update(
            status="paid", stripe_payment_intent=session.payment_intent, email=session.customer_details.email
        )
    return HttpResponse(status=200)
