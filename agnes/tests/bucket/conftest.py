from telemetry.tests.bucket.conftest import bucket, s3, unreachable

__all__ = ["bucket", "s3", "unreachable"]
