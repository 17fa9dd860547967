"""Optimistic concurrency on the wire: `ETag` out, `If-Match` in."""

import re
from typing import Annotated

from fastapi import Depends, Header, Response

from service.chassis.errors import PreconditionRequired, Stale

ETAG = re.compile(r'"(\d{1,9})"')


def show_version(response: Response, version: int) -> None:
    response.headers["etag"] = f'"{version}"'


async def _version_read(if_match: Annotated[str | None, Header()] = None) -> int:
    if if_match is None:
        raise PreconditionRequired('Send the ETag that you read: If-Match: "1".')
    if not (sent := ETAG.fullmatch(if_match.strip())):
        raise Stale("If-Match holds no ETag of this resource.")
    return int(sent[1])


VersionRead = Annotated[int, Depends(_version_read)]
