"""Figures for Prometheus at /metrics, off unless configured (docs/MONITORING.md).

counting.py    what this process counts: requests, uploads, audited actions
gauges.py      what the database and the disk say at the moment of asking
access.py      who may ask
middleware.py  times requests, and keeps all else off the address that is for metrics
views.py       the address
"""
