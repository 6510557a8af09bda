"""One file a query strategy: scored rows, labels and a budget → the rows to look at first."""
