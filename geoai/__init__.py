"""geoai: where a digital map no longer agrees with the newest orthophotos.

The modules are the stages, left to right::

    flight → tiling → catalog → prediction → polygons → maplayer → compare → publish

`geoai.pipeline` runs them in that order; the command line and the Prefect flows call it.
"""

__version__ = "0.1.0"
