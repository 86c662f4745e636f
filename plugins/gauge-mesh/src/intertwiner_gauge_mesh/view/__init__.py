"""Pictures of fields on meshes; needs the extra `viz`."""
