"""Operations of this plugin: the plain form of each and the faster ones."""
