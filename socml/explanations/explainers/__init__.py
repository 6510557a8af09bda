"""One file an explainer: a detector and rows → how far each cell pushed."""
