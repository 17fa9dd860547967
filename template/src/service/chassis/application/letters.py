"""What the letters say.

Links start with the public address that an operator set, never with the host that a request
names. The token stands behind the #, which browsers send to no server and no log keeps.
"""

from dataclasses import dataclass

from service.chassis.application.mail import Letter
from service.chassis.application.one_time import OneTime, Purpose
from service.chassis.settings import about


@dataclass(frozen=True)
class Template:
    page: str
    subject: str
    text: str


INVITATION = Template(
    "accept-invitation",
    "You are invited to {name}",
    "Hello,\n\nyou have been invited to {name}. Choose a password within a week:\n\n{url}\n\n"
    "If you expected nothing of the kind, ignore this letter.\n",
)
RESET = Template(
    "reset-password",
    "Your password at {name}",
    "Hello,\n\nsomebody asked to set a new password for your account. If it was you, do so within "
    "half an hour:\n\n{url}\n\nIf it was not, ignore this letter; nothing changes.\n",
)
EMAIL = Template(
    "verify-email",
    "Is this your address at {name}?",
    "Hello,\n\nconfirm within a day that this address is yours:\n\n{url}\n\n"
    "If you did not ask for that, ignore this letter.\n",
)
TEMPLATES = {Purpose.INVITATION: INVITATION, Purpose.RESET: RESET, Purpose.EMAIL: EMAIL}


def letter_with_token(purpose: Purpose, to: str, public_url: str, token: OneTime) -> Letter:
    template, name = TEMPLATES[purpose], about().name
    url = f"{public_url}/{template.page}#{token}"
    return Letter(to, template.subject.format(name=name), template.text.format(name=name, url=url))


def address_changed(to: str) -> Letter:
    """To the address before: whoever reads there may not know of the change."""
    text = (
        "Hello,\n\nthe address of your account was changed just now; letters go to the new one "
        f"from now on.\n\nIf it was not you, write to {about().contact} at once.\n"
    )
    return Letter(to, f"Your address at {about().name} was changed", text)


def password_changed(to: str) -> Letter:
    text = (
        "Hello,\n\nthe password of your account was changed just now, and other sessions were "
        f"ended.\n\nIf it was not you, write to {about().contact} at once.\n"
    )
    return Letter(to, f"Your password at {about().name} was changed", text)
