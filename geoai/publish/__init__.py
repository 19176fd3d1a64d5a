"""What the cartographer opens: review.gpkg, styled, with its form, and the project review.qgz beside it."""

from geoai.publish.review import RunInfo, asked_again, put_before, write_review

__all__ = ["RunInfo", "asked_again", "put_before", "write_review"]
