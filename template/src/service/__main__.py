"""`python -m service`: serves until told to stop. `… worker` does its jobs, `… jobs` tends them."""

import sys

from service.chassis.application.posture import PostureRefused
from service.chassis.errors import ServiceError
from service.chassis.server import serve
from service.chassis.settings import SettingsRefused, load_settings
from service.main import build


def main(arguments: list[str]) -> None:
    match arguments:
        case []:
            serve(build(), load_settings())
        case ["worker"]:
            from service.chassis.worker import work  # noqa: PLC0415  no part of serving

            work(build())
        case ["jobs", *asked]:
            from service.chassis.jobs_command import tend  # noqa: PLC0415  no part of serving

            tend(build(), asked)
        case _:
            sys.exit("usage: python -m service [worker | jobs dead … | jobs replay …]")


try:
    main(sys.argv[1:])
except (SettingsRefused, PostureRefused, ServiceError) as refusal:
    sys.exit(str(refusal))
