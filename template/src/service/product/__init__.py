"""What this service is for. Yours: an update never touches this folder."""

from fastapi import APIRouter

from service.product import notes

FEATURES: list[APIRouter] = [
    # One line for each feature.
    notes.router,
]
