"""Erase a person: everything that there is of them, in all apps (docs/PRIVACY.md).

erasing.py    the whole of it: counted, begun, gone on with, finished
task_rows.py  what the task queue keeps of them
again.py      who and what was brought back by a restore, or by hand, is erased and withheld again

What there is in each app: accounts/erasing/, telemetry/maintenance/erasing.py, marketplace/store/erasing.py.
The list that outlives the database: telemetry/maintenance/listing.py.
"""
