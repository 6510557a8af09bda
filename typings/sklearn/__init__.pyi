# scikit-learn ships no types. These are the parts that socml builds on; what is not here counts as untyped.
__version__: str
