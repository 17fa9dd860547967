"""`python -m service`: serves until told to stop."""

import sys

from service.chassis.server import serve
from service.chassis.settings import SettingsRefused, load_settings
from service.main import build

try:
    serve(build(), load_settings())
except SettingsRefused as refusal:
    sys.exit(str(refusal))
