"""One file a kind of metric: an order and what is known of its rows → figures, with intervals."""
