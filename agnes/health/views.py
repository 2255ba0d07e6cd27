"""/livez and /readyz: for load balancers and monitors, which do not sign in."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.errors import AgnesError
from agnes.api_errors import error_response
from agnes.health import probes
from agnes.health.probes import Answer


class UnknownCheck(AgnesError):
    status = 400
    code = "unknown_check"

    def __init__(self, names: set[str]) -> None:
        super().__init__(
            f"There is no check named {', '.join(sorted(names))}.",
            f"Exclude some of {', '.join(probes.NAMES)}.",
        )


@never_cache
@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """The process answers. It asks nothing else: a restart mends no database."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 if all is well, 503 if not; `?exclude=worker&exclude=publishing` leaves checks out."""
    excluded = {name for value in request.GET.getlist("exclude") for name in value.split(",") if name}
    if unknown := excluded - set(probes.NAMES):
        return error_response(UnknownCheck(unknown))
    answers = probes.answers(without=excluded)
    is_ready = all(answer.ok for answer in answers.values())
    body = {
        "status": "ready" if is_ready else "not ready",
        "checks": {name: _told(answer) for name, answer in answers.items()},
    }
    return JsonResponse(body, status=200 if is_ready else 503)


def _told(answer: Answer) -> dict[str, str]:
    told = {"status": "ok" if answer.ok else "failing", "message": answer.message}
    return {**told, "hint": answer.hint} if answer.hint else told
