"""What makes an ordinary network hard to watch: one file a habit, added with `simulate(..., noise=True)`."""
