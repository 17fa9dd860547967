"""The process: settings in, application out. Yours: wrap or extend it here."""

from service.chassis.app import Service, create_app
from service.chassis.settings import load_settings
from service.product import FEATURES


def build() -> Service:
    return create_app(load_settings(), FEATURES)
