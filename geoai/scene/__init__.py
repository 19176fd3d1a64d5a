"""Made aerial photographs of a made Nordic town: for training, for tests, and for `geoai demo`.

A scene is laid out as streets, plots and land use, then drawn into a height field with albedo. One sun
lights every roof face and crown by its orientation and casts every shadow by marching the height field, so
shadows agree with heights. Everything follows from the seed: the same arguments give the same bytes.

Inside this package positions are metres from the upper left corner, x to the right and y **down**, as pixels
run. What leaves it (`Roof.footprint`) is in *scene metres*: origin at the lower left corner, y **up**, so
that a translation puts it on the map.
"""

from geoai.scene.buildings import Roof
from geoai.scene.light import cast_shadow
from geoai.scene.photograph import Scene, make_scene

__all__ = ["Roof", "Scene", "cast_shadow", "make_scene"]
