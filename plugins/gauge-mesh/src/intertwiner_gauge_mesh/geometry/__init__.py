"""From vertices and faces to frames, edges, angles and parallel transport.

Everything is closed form and vectorised, on any device; positions are `[V, 3]` in any unit and
faces `[3, F]` whole numbers, as in `torch_geometric`. What is computed once for a mesh and shared
by all layers is the `MeshPlan` of `intertwiner_gauge_mesh.plan`.
"""
