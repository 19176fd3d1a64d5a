"""What the cartographer opens: review.gpkg, styled, with its form, and the project review.qgz beside it."""

from geoai.publish.review import RunInfo, put_before, write_review

__all__ = ["RunInfo", "put_before", "write_review"]
