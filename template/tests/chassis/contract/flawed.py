"""An application with flaws, to see that the fuzz finds them."""

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse

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


@app.get("/picky")
async def picky(number: int) -> Response:
    return JSONResponse({"fields": [{"field": "query.number"}]}, 422 if number % 2 else 200)


@app.get("/closed")
async def closed() -> Response:
    return Response(status_code=403)
