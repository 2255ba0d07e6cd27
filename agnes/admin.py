"""django-q's pages, for looking only.

Its own let staff with mere view permission resubmit tasks, and who may add a schedule run any function.
Schedules are declared in code.
"""

from django.contrib import admin
from django_q import admin as django_q_admin
from django_q.models import Failure, OrmQ, Schedule, Success

from accounts.admin_base import ReadOnlyAdmin

for model in (Failure, OrmQ, Schedule, Success):
    admin.site.unregister(model)


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin, django_q_admin.ScheduleAdmin):  # type: ignore[misc]
    list_filter = ["schedule_type"]


@admin.register(Success)
class SuccessAdmin(ReadOnlyAdmin, django_q_admin.TaskAdmin):  # type: ignore[misc]
    actions: list[str] = []
    list_filter = ["group"]


@admin.register(Failure)
class FailureAdmin(ReadOnlyAdmin, django_q_admin.FailAdmin):  # type: ignore[misc]
    actions: list[str] = []
    list_filter = ["group"]


@admin.register(OrmQ)
class QueueAdmin(ReadOnlyAdmin, django_q_admin.QueueAdmin):  # type: ignore[misc]
    pass
