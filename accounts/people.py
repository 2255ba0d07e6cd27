"""Who looks at a page."""

from django.http import HttpRequest

from accounts.models import User


def person(request: HttpRequest) -> User:
    """Behind `login_required` it is one."""
    assert isinstance(request.user, User)
    return request.user
