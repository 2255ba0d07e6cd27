"""What allauth stores is not for the admin: it has addresses and keys that the settings have already."""

from allauth.account import admin as account_admin  # noqa: F401 - it registers them
from allauth.account.models import EmailAddress
from allauth.socialaccount import admin as socialaccount_admin  # noqa: F401
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin

for model in (EmailAddress, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)
