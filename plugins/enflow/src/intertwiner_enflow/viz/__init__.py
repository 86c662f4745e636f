"""Pictures of samples and flows. matplotlib is asked for only when something is drawn."""

from intertwiner_enflow.viz.clusters import draw_film
from intertwiner_enflow.viz.molecules import draw_molecule_film, draw_molecule_grid
from intertwiner_enflow.viz.page import write_page
from intertwiner_enflow.viz.particles import draw_double_well

__all__ = [
    "draw_double_well",
    "draw_film",
    "draw_molecule_film",
    "draw_molecule_grid",
    "write_page",
]
