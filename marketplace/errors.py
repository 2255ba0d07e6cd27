"""What can go wrong with marketplaces, as people meet it.

AgnesError
├── AddressRefused         (git.errors) a repository's address that Agnes does not fetch from
├── RefRefused             (git.errors) no name of a branch, tag or commit
├── TokenRefused           (git.errors) a token's variable that may not be used, is not set, or is not sent
├── SlugRefused            a marketplace's short name that is taken or cannot stand in an address
├── MarketplaceUnknown     no marketplace has this short name
├── ItemUnknown            no marketplace has this item, or one may not see it
├── WrongItemQuery         items were asked for with filters that mean nothing
├── NothingUploaded        a form without a file
├── FormBroke              its sender hung up, or fell silent
├── FormTooLarge           more than any upload may have
├── UploadRejected         the guardrails let nothing of it through; with their findings
├── NameTaken              an item of the flea market has this name
├── UploadsExhausted       a person uploads too often
├── SpaceExhausted         a person keeps too much
├── SameContent            a version that changes nothing
├── OtherItem              a version that is something else than its item
├── EntityUnknown          no item of the flea market, or one may not see it
├── VersionUnknown         it has no such version, or one may not see that
├── FileUnknown            a version has no such file
├── PackLost               what is stored of a version is missing or damaged
├── NotYours               only its owner may do that
├── NothingHeld            no version of it waits for an admin, or another one than was looked at
├── NotPublished           it is not published
├── ReasonMissing          a refusal without a reason
├── ReasonTooLong          more than anybody reads
├── DescriptionRefused     a description that is too long or not plain text
├── PersonUnknown          nobody who could own it has this address
├── MarketplaceRemoved     it was removed, and is fetched no more
├── MarketplaceBusy        another process is syncing it
├── NamespaceTaken         (serving.errors) a plugin of the stack has this namespace
├── NotForStacks           (serving.errors) a plugin that cannot be served
├── UpstreamMissing        (serving.errors) a marketplace's files are not here, and cannot be had now
├── FetchesBusy            (serving.errors) too many clients of Claude Code fetch at once
├── FetchRefused           (serving.errors) what was sent is not what git sends
│   └── FetchTooLarge          more than git sends
└── SyncFailed             (git.errors) why the catalogue is the one of before
    ├── AccessDenied           it needs a password, or the token or key does not fit
    ├── RepositoryNotFound     there is none at this address, or it is private
    ├── RefUnknown             the repository has no such branch, tag or commit
    ├── HostUnreachable        no connection, or the host is not who it should be
    ├── AddressMoved           the server points to another address
    ├── ConnectionBroke        the server hung up in the middle
    ├── TookTooLong            slower than the settings allow
    ├── RepositoryTooLarge     larger than the settings allow
    ├── GitUnusable            there is no git on this machine, or an old one
    ├── RepositoryDamaged      the local copy lacks something
    ├── GitFailed              anything else that git says
    └── NotAMarketplace        no marketplace.json, or one that cannot be read
"""

from collections.abc import Iterable
from dataclasses import asdict

from django.template.defaultfilters import filesizeformat

from accounts.errors import AgnesError
from marketplace.guardrails.records import Finding


class SlugRefused(AgnesError):
    status = 422
    code = "slug_refused"


class MarketplaceRemoved(AgnesError):
    status = 410
    code = "marketplace_removed"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"The marketplace {slug!r} was removed.", "Add its repository again under another short name."
        )


class MarketplaceUnknown(AgnesError):
    status = 404
    code = "marketplace_unknown"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"There is no marketplace {slug!r}.",
            "Add it with `manage.py marketplace_add`, or check the name.",
        )


class ItemUnknown(AgnesError):
    status = 404
    code = "item_unknown"

    def __init__(self, source: str, ref_id: str) -> None:
        super().__init__(
            f"There is no {source} item {ref_id!r:.300}.", "GET /api/marketplace/items lists what there is."
        )


class WrongItemQuery(AgnesError):
    status = 422
    code = "wrong_item_query"

    def __init__(self, fields: dict[str, str]) -> None:
        """`fields` says of each what it may be."""
        wrong = "; ".join(f"{name}: {what}" for name, what in sorted(fields.items()))
        super().__init__(f"Wrong filter: {wrong}.", "docs/MARKETPLACES.md describes the filters.", fields)


class NothingUploaded(AgnesError):
    status = 422
    code = "nothing_uploaded"

    def __init__(self) -> None:
        super().__init__(
            "No file was uploaded.",
            "Send a .zip, a .md, or the files of a folder as multipart/form-data (curl --form file=@FILE).",
        )


class FormBroke(AgnesError):
    status = 400
    code = "form_broke"

    def __init__(self) -> None:
        super().__init__("The upload ended before its end, and nothing of it was kept.", "Send it again.")


class FormTooLarge(AgnesError):
    status = 413
    code = "too_large"

    def __init__(self, size: int, files: int) -> None:
        super().__init__(
            f"The upload has more than {size // 1024**2} MB, or more than {files} files.",
            "Leave out what Claude Code does not need, such as data, dependencies and pictures.",
        )


class UploadRejected(AgnesError):
    """`more` holds all findings, as {code, severity, path, line, text, cure}."""

    status = 422
    code = "upload_rejected"

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        self.more = {"findings": [asdict(finding) for finding in self.findings]}
        wrong: dict[str, str] = {}
        for it in self.findings:
            place = f"{it.path}:{it.line}" if it.line else it.path or "upload"
            wrong[place] = " ".join(filter(None, (wrong.get(place), it.text, it.cure)))
        super().__init__(
            "The upload was rejected, and nothing of it was kept.",
            "Change what the findings say, then upload it again.",
            wrong,
        )


class NameTaken(AgnesError):
    status = 409
    code = "name_taken"

    def __init__(self, slug: str, own_id: int | None = None) -> None:
        """`own_id` is that of the item, if it is the uploader's own."""
        self.own_id = own_id
        message = f"There is an item {slug} already."
        hint = "Give yours another name."
        if own_id is not None:
            message = f"You have an item {slug} already."
            hint = f"Upload it as a new version: POST /api/store/entities/{own_id}/versions."
        super().__init__(message, hint, {"name": message})


class UploadsExhausted(AgnesError):
    status = 429
    code = "too_many_uploads"

    def __init__(self, limit: int, seconds: int) -> None:
        super().__init__(
            f"You have uploaded {limit} times in 24 hours.",
            "Try again later, or ask an operator to raise STORE_UPLOADS_PER_DAY.",
        )
        self.retry_after = seconds


class SpaceExhausted(AgnesError):
    status = 413
    code = "space_exhausted"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The items of one person may not take more than {filesizeformat(limit)} together.",
            "Delete one, or ask an operator to raise STORE_MAX_BYTES_PER_PERSON.",
        )


class SameContent(AgnesError):
    status = 409
    code = "same_content"

    def __init__(self, number: int) -> None:
        super().__init__(f"Nothing changed since version {number}.", "Upload it when something has.")


class OtherItem(AgnesError):
    status = 422
    code = "other_item"

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(
            f"This is the {found}, and no version of the {wanted}.",
            "A new version keeps name and kind. Upload it as an item of its own.",
        )


class EntityUnknown(AgnesError):
    status = 404
    code = "entity_unknown"

    def __init__(self) -> None:
        super().__init__("There is no such item.", "GET /api/store/entities lists yours.")


class VersionUnknown(AgnesError):
    status = 404
    code = "version_unknown"

    def __init__(self) -> None:
        super().__init__("There is no such version.", "GET /api/store/entities/{id} lists those of an item.")


class FileUnknown(AgnesError):
    status = 404
    code = "file_unknown"

    def __init__(self) -> None:
        super().__init__(
            "There is no such file.", "GET /api/store/entities/{id}/versions/{number}/files lists them."
        )


class PackLost(AgnesError):
    status = 500
    code = "pack_lost"

    def __init__(self) -> None:
        super().__init__(
            "The stored files of this version cannot be read.",
            "Restore them from a backup, or have its owner upload it again.",
        )


class NotYours(AgnesError):
    status = 403
    code = "not_yours"

    def __init__(self) -> None:
        super().__init__("Only its owner may do that.", "Ask its owner, or an admin.")


class NothingHeld(AgnesError):
    status = 409
    code = "nothing_held"

    def __init__(self) -> None:
        super().__init__(
            "That version does not wait for a decision.",
            "Somebody has decided, or its owner has uploaded a newer one: look at the item again.",
        )


class NotPublished(AgnesError):
    status = 409
    code = "not_published"

    def __init__(self) -> None:
        super().__init__("It is not published.", "Look at the item again: somebody may have ended it.")


class ReasonMissing(AgnesError):
    status = 422
    code = "reason_missing"

    def __init__(self) -> None:
        message = "The reason is missing: its owner is told what to change."
        super().__init__(message, "Write a sentence.", {"reason": message})


class ReasonTooLong(AgnesError):
    status = 422
    code = "reason_too_long"

    def __init__(self, limit: int) -> None:
        message = f"A reason has at most {limit} characters."
        super().__init__(message, "Say the most important things.", {"reason": message})


class DescriptionRefused(AgnesError):
    status = 422
    code = "description_refused"

    def __init__(self, message: str) -> None:
        super().__init__(message, "Use one paragraph of plain text.", {"description": message})


class PersonUnknown(AgnesError):
    status = 422
    code = "person_unknown"

    def __init__(self) -> None:
        message = "Nobody with this address can sign in here."
        super().__init__(message, "Give the e-mail address of an active person.", {"email": message})


class MarketplaceBusy(AgnesError):
    status = 409
    code = "marketplace_busy"

    def __init__(self, slug: str) -> None:
        super().__init__(f"Another process is syncing {slug}.", "Wait a minute, then try again if need be.")
