"""Stored files in a bucket that speaks S3, for several machines that share them.

signing.py   signs a request as S3 wants it
client.py    the five requests that Agnes needs, with their errors
storage.py   Django's storage over them

The lake has its own way to its bucket (telemetry/lake/location.py): the library that writes it keeps every
other thread waiting while it asks the store, which a web server cannot bear.
"""
