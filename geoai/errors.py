"""What can go wrong, named for what the caller can do about it.

Messages are one line: the file (or key), what was expected, what was found.
"""


class GeoaiError(Exception):
    """Base of every error that geoai raises on purpose; the command line prints it and exits 1."""


class ConfigError(GeoaiError):
    """A configuration file or option is wrong: mend the YAML."""


class CRSError(GeoaiError):
    """A coordinate reference system is missing, geographic, or not the project's."""


class ImageryError(GeoaiError):
    """An orthophoto or a flight cannot be used as it is."""


class StacError(GeoaiError):
    """A STAC API or static catalogue cannot be reached, answers nonsense, or does not give its files."""


class MapError(GeoaiError):
    """The digital map cannot be read as configured."""


class StorageError(GeoaiError):
    """An object store does not answer, or refuses."""


class CatalogError(GeoaiError):
    """The STAC catalogue is incomplete or damaged."""


class ModelError(GeoaiError):
    """A model package is missing, damaged, or does not fit the imagery."""


class PublishError(GeoaiError):
    """The GeoPackage cannot be written where it was asked for."""


class LedgerError(GeoaiError):
    """The ledger, or a reviewed GeoPackage read into it, is another project's, damaged, or in use."""


class MergeError(GeoaiError):
    """The standing review of a flight cannot be written now: the run's own folder is whole; merge again."""


class EngineError(GeoaiError):
    """A worker ended before its tiles were done: what is done is kept."""


class FindingsError(GeoaiError):
    """A flight came to its review without what is named: another run finds the same until that is mended."""


class BusyError(GeoaiError):
    """Another process works on the flight: wait until it has ended."""


class WatchError(GeoaiError):
    """A watched flight, folder or API needs somebody, or what was written down of a flight cannot be read."""
