"""Whether this installation can do its work: what /livez and /readyz answer, and `manage.py doctor` begins
with (docs/MONITORING.md).

migrations.py   which of the code's migrations the database lacks
probes.py       the checks, each by its name
views.py        the two addresses
middleware.py   what keeps them apart from sessions, hosts and redirects
"""
