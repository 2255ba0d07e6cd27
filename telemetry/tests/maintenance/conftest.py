from telemetry.tests.rollups.conftest import clock

__all__ = ["clock"]
