"""What the shop remembers."""

from django.db import models


class Purchase(models.Model):
    """One attempt to buy."""

    status = models.CharField(max_length=20, default="open")
    stripe_session = models.CharField(max_length=255, blank=True)
    stripe_payment_intent = models.CharField(max_length=255, blank=True)
    email = models.EmailField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
