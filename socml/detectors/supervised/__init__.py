"""One file a supervised model: a matrix and what is known of its rows → the probability of being malicious."""
