"""HTTP to identity providers: whatever answers there answers briefly, soon, and itself.

Every call to a provider goes through this transport; an `inner` one that refuses private
addresses makes it fit for addresses that a tenant typed.
"""

import asyncio

import httpx2

LARGEST_BYTES = 65_536
KEPT_HEADERS = ("content-type",)


class BoundedTransport(httpx2.AsyncBaseTransport):
    """Bounds an answer's size and all of its time, and never unpacks one."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, seconds: float) -> None:
        self._inner = inner
        self._seconds = seconds

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        # What is packed could be small here and huge in memory.
        request.headers["accept-encoding"] = "identity"
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._inner.handle_async_request(request)
                try:
                    content = await _bounded(response, request)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise httpx2.ReadTimeout("the answer took too long", request=request) from None
        kept = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        return httpx2.Response(response.status_code, headers=kept, content=content)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _bounded(response: httpx2.Response, request: httpx2.Request) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx2.ReadError("the answer is packed", request=request)
    content = b""
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    async for part in response.stream:
        content += part
        if len(content) > LARGEST_BYTES:
            raise httpx2.ReadError("the answer is too large", request=request)
    return content
