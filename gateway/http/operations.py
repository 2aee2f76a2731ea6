"""`/health/live`, `/health/ready`, `/metrics`."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.http.inbound import admit_operator, service_of
from gateway.metrics.exchange import ExchangeBroken
from gateway.problems import Problem


async def live(_request: Request) -> Response:
    """200 while the process can answer."""
    return JSONResponse({"status": "live"})


async def ready(request: Request) -> Response:
    """Whether the gateway can accept and keep work, true at the moment of asking."""
    report = await service_of(request).health.report()
    return JSONResponse(report.content, 200 if report.ready else 503, {"Cache-Control": "no-store"})


async def metrics(request: Request) -> Response:
    """Prometheus text, for operators."""
    await admit_operator(request)
    try:
        body, content_type = await service_of(request).observation.exposition()
    except ExchangeBroken:
        detail = "the supervisor does not tell what the other processes have counted; restart the gateway"
        raise Problem(503, "metrics_incomplete", detail, headers={"Retry-After": "10"}) from None
    return Response(body, headers={"Content-Type": content_type})
