"""The commands of `geoai`, a module for each kind; `geoai.cli` puts them together.

Everything heavy is imported inside the commands, so that `geoai --help` answers at once.
"""
