"""What a flow is trained with: flow matching on straight paths, and likelihood."""
