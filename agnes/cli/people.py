"""People, as admins name them."""

from agnes.cli.api import Api
from agnes.cli.errors import NotFound


def id_of(api: Api, who: str) -> int:
    """Of an id or an e-mail address. Raises ClientError."""
    if who.isascii() and who.isdecimal():
        return int(who)
    found = api.get("/admin/users", {"q": who, "limit": 200})["items"]
    for person in found:
        if person["email"] == who.lower():
            return int(person["id"])
    near = ", ".join(person["email"] for person in found[:5])
    raise NotFound(f"Nobody has the e-mail address {who}.", f"There is {near}." if near else "")
