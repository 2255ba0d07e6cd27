"""One request of a fetch: which repository answers it."""

from contextlib import ExitStack
from pathlib import Path

from accounts.models import User
from marketplace.serving import backend, shown
from marketplace.serving.backend import Answer, Request
from marketplace.serving.errors import FetchRefused
from marketplace.serving.repositories import commit_in, held_repository, repository_of_view
from marketplace.serving.requests import wanted
from marketplace.serving.view import view_of


def answer(user: User, request: Request) -> Answer:
    """Close it. Raises FetchRefused, FetchesBusy, UpstreamMissing, RepositoryDamaged."""
    with ExitStack() as held:
        repository = _repository(user, wanted(request.body or b""), held)
        return backend.answer(repository, request, held)


def _repository(user: User, commits: list[str], held: ExitStack) -> Path:
    """That of the person's view. Who asks for a commit that the view had a moment ago, when this fetch began,
    gets it from there."""
    if commits and (key := shown.key_of(user, commits[0])):
        path = held.enter_context(held_repository(key))
        if path is not None:
            return path
    view = view_of(user)
    path = held.enter_context(repository_of_view(view))
    commit = commit_in(path)
    if any(one != commit for one in commits):
        raise FetchRefused("This is not what the marketplace holds now.", "Fetch again.")
    shown.note(user, commit, view.key)
    return path
