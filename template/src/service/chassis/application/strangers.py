"""What speaks through an HTTP client of its own, led through the one way out to strangers."""

import httpx2

from service.chassis.application.outbound import Answer, Outbound
from service.chassis.errors import AddressRefused, AddressUnreachable


class StrangersTransport(httpx2.AsyncBaseTransport):
    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            answer = await self._asked(request)
        except (AddressRefused, AddressUnreachable) as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        return httpx2.Response(answer.status, headers=dict(answer.headers), content=answer.body)

    async def _asked(self, request: httpx2.Request) -> Answer:
        kept = {"accept", "authorization", "content-type"}
        headers = {name: value for name, value in request.headers.items() if name in kept}
        if request.method == "GET":
            return await self._outbound.get(str(request.url), headers=headers)
        return await self._outbound.post(str(request.url), await request.aread(), headers=headers)
