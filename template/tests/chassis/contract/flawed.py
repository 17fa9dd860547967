"""An application with three flaws, to see that the fuzz finds them."""

from fastapi import FastAPI, Response

app = FastAPI()


@app.get("/crash")
async def crash(number: int) -> float:
    return 1 / number


@app.get("/odd")
async def odd(number: int) -> Response:
    return Response("a bare word", 418 if number % 2 else 200, media_type="text/plain")


@app.get("/lax")
async def lax(number: str | int) -> dict[str, bool]:
    return {"accepted": bool(number)}
