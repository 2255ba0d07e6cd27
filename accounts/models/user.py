import zoneinfo
from typing import Any, ClassVar, NoReturn

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.errors import NeverDeleted
from accounts.fields import LowerCaseEmailField


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            "“%(name)s” is no time zone: use a name such as Europe/Berlin.", params={"name": name}
        )


class UserQuerySet(models.QuerySet["User"]):
    def delete(self) -> NoReturn:
        raise NeverDeleted


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Without a password the person can only use tokens until an admin sets one."""
        if not email:
            raise ValueError("A person needs an e-mail address.")
        user = User(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})


class User(AbstractBaseUser, PermissionsMixin):
    email = LowerCaseEmailField("e-mail address", unique=True)
    name = models.CharField(max_length=150, blank=True)
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text="Times on pages are shown in this zone. Days of the statistics are UTC days.",
    )
    is_staff = models.BooleanField("staff", default=False, help_text="May sign in to this admin site.")
    is_active = models.BooleanField(
        "active", default=True, help_text="Clear this to lock a person out; people are never deleted."
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    # Nothing is taken from them any more, and what there is of them goes or is gone (docs/PRIVACY.md).
    erased_at = models.DateTimeField("erased", null=True, blank=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        ordering = ["email"]
        default_permissions = ("add", "change", "view")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")),
                name="accounts_user_email_lower",
                violation_error_message="The e-mail address must be in lower case.",
            ),
            models.CheckConstraint(
                condition=models.Q(erased_at=None)
                | models.Q(is_active=False, is_staff=False, is_superuser=False),
                name="accounts_user_erased",
                violation_error_message="This person was erased: make a new account instead.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.email)

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NeverDeleted
