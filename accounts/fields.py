from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    EmailField = models.EmailField[str, str]
else:
    EmailField = models.EmailField


class LowerCaseEmailField(EmailField):
    """An e-mail address that is stored, compared and looked up in lower case, whatever case is given."""

    def to_python(self, value: Any) -> Any:
        return _lower(super().to_python(value))

    def get_prep_value(self, value: Any) -> Any:
        return _lower(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """The instance in hand shows what the row holds."""
        value = _lower(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value
