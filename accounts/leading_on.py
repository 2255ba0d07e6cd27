"""Where a page may lead on to, when the address to go to came with the request."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def leads_here(request: HttpRequest, address: str) -> bool:
    """Whether it is a path of this server. Without a slash `redirect` takes it for the name of a page."""
    hosts = {request.get_host()}
    return address.startswith("/") and url_has_allowed_host_and_scheme(
        address, hosts, require_https=request.is_secure()
    )
