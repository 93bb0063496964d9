"""What the shop answers."""

from django.urls import path
from store import views

urlpatterns = [
    path("", views.home, name="home"),
    path("buy/", views.buy, name="buy"),
    path("success/", views.success, name="success"),
    path("cancelled/", views.cancelled, name="cancelled"),
    path("webhook/", views.webhook, name="webhook"),
]
