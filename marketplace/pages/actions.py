"""What owners and admins do with an item of the flea market, each by a form of its page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms

from accounts.models import User
from marketplace.models import StoreEntity
from marketplace.pages.forms import (
    ConfirmedForm,
    DecisionForm,
    DescribeForm,
    RefusalForm,
    TakeDownForm,
    TransferForm,
)
from marketplace.store import deciding, ownership


@dataclass(frozen=True)
class Action:
    """`run` returns what is said when it is done. `moderating`: for admins only."""

    form: type[forms.Form]
    run: Callable[[StoreEntity, dict[str, Any], User], str]
    moderating: bool = False


def _describe(entity: StoreEntity, said: dict[str, Any], by: User) -> str:
    ownership.describe(entity, said["description"], by=by)
    return "The description is saved."


def _withdraw(entity: StoreEntity, said: dict[str, Any], by: User) -> str:
    ownership.withdraw(entity, by=by)
    return f"{entity} is withdrawn. A new version brings it back."


def _transfer(entity: StoreEntity, said: dict[str, Any], by: User) -> str:
    ownership.transfer(entity, said["email"], by=by)
    return f"{entity} belongs to {said['email']} now."


def _delete(entity: StoreEntity, said: dict[str, Any], by: User) -> str:
    if ownership.delete(entity, by=by):
        return f"{entity} is deleted."
    return f"{entity} is archived: others have it or used it, or it was taken down, so its figures stay."


def _release(entity: StoreEntity, said: dict[str, Any], by: User) -> str:
    version = deciding.held_version(entity, said["version"])
    deciding.release(version, by=by)
    return f"{version} is published."


def _refuse(entity: StoreEntity, said: dict[str, Any], by: User) -> str:
    version = deciding.held_version(entity, said["version"])
    deciding.refuse(version, said["reason"], by=by)
    return f"{version} is refused; its owner reads why."


def _take_down(entity: StoreEntity, said: dict[str, Any], by: User) -> str:
    deciding.take_down(entity, said["reason"], by=by)
    return f"{entity} is taken down."


# By the last part of their addresses.
ACTIONS = {
    "describe": Action(DescribeForm, _describe),
    "withdraw": Action(ConfirmedForm, _withdraw),
    "transfer": Action(TransferForm, _transfer),
    "delete": Action(ConfirmedForm, _delete),
    "release": Action(DecisionForm, _release, moderating=True),
    "refuse": Action(RefusalForm, _refuse, moderating=True),
    "take-down": Action(TakeDownForm, _take_down, moderating=True),
}
