from typing import Any

from django import forms

from accounts.errors import AgnesError
from marketplace.catalogue.registering import Location, check_slug, read_location, slug_of
from marketplace.git.addresses import without_credentials
from marketplace.models import Marketplace


class MarketplaceForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is refused is said at its field."""

    class Meta:
        model = Marketplace
        fields = ["url", "ref", "token_env"]

    location: Location

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        try:
            self._check(cleaned)
        except AgnesError as error:
            # What the page shows again holds no secret.
            self.data = {**dict(self.data.items()), "url": without_credentials(self.data.get("url", ""))}
            for name, message in error.fields.items():
                self.add_error(name, f"{message} {error.hint}")
        return cleaned

    def _check(self, cleaned: dict[str, Any]) -> None:
        self.location = read_location(
            cleaned.get("url", ""), cleaned.get("ref", ""), cleaned.get("token_env", "")
        )


class NewMarketplaceForm(MarketplaceForm):
    slug = forms.CharField(
        required=False,
        label="Short name",
        help_text="Begins the address of each plugin and never changes. Empty: the repository's name.",
    )

    class Meta(MarketplaceForm.Meta):
        fields = ["url", "slug", "ref", "token_env"]

    def _check(self, cleaned: dict[str, Any]) -> None:
        super()._check(cleaned)
        cleaned["slug"] = check_slug(cleaned.get("slug") or slug_of(self.location.url))
        if Marketplace.objects.filter(slug=cleaned["slug"]).exists():
            self.add_error("slug", f"There is a marketplace {cleaned['slug']} already: give another name.")
