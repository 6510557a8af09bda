"""One file a responder: the folder is the registry."""
