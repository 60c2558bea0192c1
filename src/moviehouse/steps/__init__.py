"""The steps from a source to a release, a module each."""
