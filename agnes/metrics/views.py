from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder

from accounts.errors import NotAuthenticated
from agnes.api_errors import error_response, not_found
from agnes.metrics import counting, gauges
from agnes.metrics.access import is_on, may_see

gauges.register(counting.REGISTRY)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not is_on():
        return not_found(request)
    if not may_see(request):
        refused = error_response(
            NotAuthenticated("The metrics need a token.", "Send AGNES_METRICS_TOKEN as a bearer token.")
        )
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(counting.REGISTRY), content_type=content_type)
