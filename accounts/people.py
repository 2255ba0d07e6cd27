"""Which person a request comes from, or names."""

from django.http import HttpRequest

from accounts.errors import NotFound
from accounts.models import User


def person(request: HttpRequest) -> User:
    """Who asks: behind `login_required` or `auth(…)` it is one."""
    assert isinstance(request.user, User)
    return request.user


def person_of_id(user_id: int) -> User:
    """Whom an address names. Raises NotFound."""
    found: User | None = User.objects.filter(pk=user_id).first()
    if found is None:
        raise NotFound(f"There is no person {user_id}.", "People in the admin lists them.")
    return found
