"""Pictures and reports: learning curves, molecules, run pages.

matplotlib and pyvista come with `pip install 'intertwiner[viz]'` and are imported only when
something is drawn.
"""
