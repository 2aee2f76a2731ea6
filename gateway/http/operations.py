"""`/health/live`, `/health/ready`, `/metrics`."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.http.inbound import admit_operator, service_of
from gateway.store import StoreUnavailable


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
    service = service_of(request)
    try:
        service.metrics.deliveries(await service.backlog.counts())
    except StoreUnavailable:
        # no figures rather than old ones; that the store is away is told by /health/ready
        service.metrics.deliveries({})
    body, content_type = service.metrics.exposition()
    return Response(body, headers={"Content-Type": content_type})
